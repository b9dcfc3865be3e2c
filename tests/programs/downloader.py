"""Downloads from a local HTTP server by a pool of threads: queues, locks, futures, retries, and a report in order."""

import concurrent.futures
import gzip
import hashlib
import http.client
import http.server
import json
import queue
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

FILES = {f"/file{number}.bin": bytes((number * 7 + i * i) % 256 for i in range(number * 1000)) for number in range(1, 9)}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    seen = {}

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        with self.lock:
            count = self.seen[url.path] = self.seen.get(url.path, 0) + 1
        match url.path:
            case path if path in FILES:
                self.file(FILES[path])
            case "/flaky" if count < 3:
                self.send_error(503, "Try again")
            case "/flaky":
                self.answer(b"finally")
            case "/redirect":
                self.answer(b"", 302, Location="/file2.bin")
            case "/echo":
                body = {"query": urllib.parse.parse_qs(url.query), "agent": self.headers["X-Agent"]}
                self.answer(json.dumps(body, sort_keys=True).encode(), **{"Content-Type": "application/json"})
            case "/gzip":
                self.answer(gzip.compress(b"squeezed " * 100, mtime=0), **{"Content-Encoding": "gzip"})
            case "/chunks":
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for part in (b"one ", b"two ", b"three"):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.write(b"0\r\n\r\n")
            case _:
                self.send_error(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(hashlib.sha256(body).hexdigest().encode(), 201)

    def file(self, data):
        if spec := self.headers["Range"]:
            first, _, last = spec.removeprefix("bytes=").partition("-")
            first, last = int(first), min(int(last or len(data)), len(data) - 1)
            self.answer(data[first:last + 1], 206, **{"Content-Range": f"bytes {first}-{last}/{len(data)}"})
        else:
            self.answer(data)

    def answer(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Downloader:
    def __init__(self, base, target, workers=4):
        self.base, self.target = base, target
        self.jobs, self.results = queue.Queue(), {}
        self.lock, self.active, self.peak = threading.Condition(), 0, 0
        self.threads = [threading.Thread(target=self.work, name=f"worker-{number}", daemon=True) for number in range(workers)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while (path := self.jobs.get()) is not None:
            with self.lock:
                self.active += 1
                self.peak = max(self.peak, self.active)
            try:
                result = self.fetch(path)
            except urllib.error.HTTPError as error:
                result = f"HTTP {error.code} {error.reason}"
            except urllib.error.URLError as error:
                result = f"failed: {type(error.reason).__name__}"
            with self.lock:
                self.results[path] = result
                self.active -= 1
                self.lock.notify_all()
            self.jobs.task_done()

    def fetch(self, path, tries=3):
        for attempt in range(1, tries + 1):
            try:
                with urllib.request.urlopen(self.base + path, timeout=10) as response:
                    data = response.read()
                    if response.headers["Content-Encoding"] == "gzip":
                        data = gzip.decompress(data)
                break
            except urllib.error.HTTPError as error:
                with error:
                    if error.code != 503 or attempt == tries:
                        raise
                time.sleep(0.005 * attempt)
        name = self.target / (path.strip("/") or "index")
        name.write_bytes(data)
        return f"{len(data)} bytes, {hashlib.md5(data).hexdigest()[:8]}, attempt {attempt}"

    def run(self, paths):
        for path in paths:
            self.jobs.put(path)
        with self.lock:
            self.lock.wait_for(lambda: len(self.results) == len(paths), timeout=30)
        self.jobs.join()
        for _ in self.threads:
            self.jobs.put(None)
        for thread in self.threads:
            thread.join()
        return {path: self.results[path] for path in paths}


def parallel_ranges(base, path, size, parts):
    def part(number):
        first, last = size * number // parts, size * (number + 1) // parts - 1
        request = urllib.request.Request(base + path, headers={"Range": f"bytes={first}-{last}"})
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.headers["Content-Range"], response.read()

    with concurrent.futures.ThreadPoolExecutor(parts, thread_name_prefix="part") as pool:
        pieces = list(pool.map(part, range(parts)))
        future = pool.submit(part, "x")
        print(type(future.exception()).__name__, future.done(), len(concurrent.futures.wait([future]).done))
    return [(status, content_range) for status, content_range, _ in pieces], b"".join(data for *_, data in pieces)


def main():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, TemporaryDirectory() as directory:
        host, port = server.server_address
        base = f"http://{host}:{port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            downloader = Downloader(base, Path(directory))
            paths = [*FILES, "/flaky", "/redirect", "/gzip", "/chunks", "/missing"]
            for path, result in downloader.run(paths).items():
                print(f"{path:<12} {result}")
            print(1 <= downloader.peak <= 4, Handler.seen["/flaky"], [thread.is_alive() for thread in downloader.threads])
            saved = sorted(Path(directory).iterdir())
            print([path.name for path in saved], sum(path.stat().st_size for path in saved))
            print(all((Path(directory) / name.strip("/")).read_bytes() == data for name, data in FILES.items()))

            statuses, data = parallel_ranges(base, "/file8.bin", 8000, 3)
            print(statuses, data == FILES["/file8.bin"])
            query = urllib.parse.urlencode({"a": ["1", "ü"], "b": "x y"}, doseq=True)
            request = urllib.request.Request(f"{base}/echo?{query}", headers={"X-Agent": "taipan"})
            print(query, json.load(urllib.request.urlopen(request)))

            connection = http.client.HTTPConnection(host, port, timeout=10)
            for _ in range(3):
                connection.request("POST", "/upload", body=b"payload", headers={"Content-Type": "text/plain"})
                response = connection.getresponse()
                text = response.read()
            print(response.status, response.reason, text.decode()[:16], response.getheader("Content-Length"), response.isclosed())
            connection.close()
        finally:
            server.shutdown()
            thread.join()
    try:
        urllib.request.urlopen(base, timeout=2)
    except urllib.error.URLError as error:
        print(type(error.reason).__name__)

    local, barrier, totals = threading.local(), threading.Barrier(4), []
    event, lock = threading.Event(), threading.RLock()

    def count(number):
        local.value = number
        barrier.wait()
        event.wait()
        for _ in range(1000):
            with lock, lock:
                totals.append(local.value)

    threads = [threading.Thread(target=count, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    event.set()
    for each in threads:
        each.join()
    print(len(totals), sum(totals), hasattr(local, "value"), threading.active_count(), threading.current_thread().name)


main()
