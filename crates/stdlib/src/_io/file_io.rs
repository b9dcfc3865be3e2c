//! `_io.FileIO`: a file by its descriptor, without a buffer. `init.rs` has the constructor.

mod init;

use super::bases::RAW_IO_BASE;
use super::names::names;
use super::{cannot_pickle, iobase, size_argument, unsupported, with_context};
use crate::arguments::{errno, retry};
use crate::payload::{class_of, payload};
use taipan_object::buffer::Buffer;
use taipan_object::builtins::bytes::Bytes;
use taipan_object::builtins::int;
use taipan_object::native::{GetSetDef, MemberDef, MethodDef};
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm, method_table};

/// The most that one `read` or `write` transfers, as Linux limits it.
const MAX_TRANSFER: usize = 0x7fff_f000;
/// What is asked of a file of unknown size first.
const SMALL_CHUNK: usize = super::DEFAULT_BUFFER_SIZE;

payload! {
    /// `seekable` is known once the file was sought; `size` and `is_device` are as at opening, -1 when unknown.
    pub struct FileIo(FileIoState): FILE_IO {
        fd: i32,
        created: bool,
        readable: bool,
        writable: bool,
        appending: bool,
        seekable: Option<bool>,
        closefd: bool,
        finalizing: bool,
        block_size: i64,
        size: i64,
        may_be_terminal: bool,
    }
}

pub static FILE_IO: TypeSpec = TypeSpec::new::<FileIo>("_io.FileIO")
    .doc(
        "FileIO(file, mode='r', closefd=True, opener=None)\n--\n\nOpen a file.\n\nThe mode is one of 'r', 'w', 'x' and \
         'a', with a '+' to read and write. The file is a name or, if it\nis open already, a descriptor, which closefd=False \
         leaves open. An opener(name, flags) returns a\ndescriptor.",
    )
    .base(&RAW_IO_BASE)
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|_, class, _, _| Ok(new(class)));
        s.init = Some(init::init);
        s.repr = Some(repr);
    })
    .methods(METHODS)
    .members(&[MemberDef::new("_finalizing", "", |_, this| Ok(Value::bool(FileIo::of(this).with(|s| s.finalizing))))
        .setter(|vm, this, value| {
            let finalizing = finalizing_argument(vm, value)?;
            FileIo::of(this).with(|state| state.finalizing = finalizing);
            Ok(())
        })])
    .getset(&[
        GetSetDef::new("closed", "True if the file is closed", |_, this| Ok(Value::bool(FileIo::of(this).is_closed()))),
        GetSetDef::new("closefd", "Whether close() closes the descriptor as well.", |_, this| {
            Ok(Value::bool(FileIo::of(this).with(|state| state.closefd)))
        }),
        GetSetDef::new("mode", "\
            The mode in which the file is open", |_, this| Ok(Value::from(FileIo::of(this).mode()))),
        GetSetDef::new("_blksize", "Preferred I/O block size", |_, this| {
            Ok(Value::from(FileIo::of(this).with(|state| state.block_size)))
        }),
    ]);

/// The value of `_finalizing`: a bool member cannot be deleted.
pub fn finalizing_argument(vm: &Vm, value: Option<&Value>) -> Result<bool> {
    match value {
        Some(value) if value.is_bool() => Ok(value.is_true()),
        Some(_) => Err(vm.type_error("attribute value type must be bool")),
        None => Err(vm.type_error("can't delete numeric/char attribute")),
    }
}

fn new(class: &Value) -> Value {
    let state = FileIoState {
        fd: -1,
        created: false,
        readable: false,
        writable: false,
        appending: false,
        seekable: None,
        closefd: true,
        finalizing: false,
        block_size: super::DEFAULT_BUFFER_SIZE as i64,
        size: -1,
        may_be_terminal: true,
    };
    FileIo::make(class_of(class), state)
}

impl FileIo {
    pub fn is_closed(&self) -> bool {
        self.with(|state| state.fd < 0)
    }

    fn open_fd(&self, vm: &Vm) -> Result<i32> {
        match self.with(|state| state.fd) {
            fd if fd < 0 => Err(vm.value_error("I/O operation on closed file")),
            fd => Ok(fd),
        }
    }
    fn readable_fd(&self, vm: &Vm) -> Result<i32> {
        let fd = self.open_fd(vm)?;
        if self.with(|state| state.readable) { Ok(fd) } else { Err(unsupported(vm, "File not open for reading")) }
    }
    fn writable_fd(&self, vm: &Vm) -> Result<i32> {
        let fd = self.open_fd(vm)?;
        if self.with(|state| state.writable) { Ok(fd) } else { Err(unsupported(vm, "File not open for writing")) }
    }

    fn mode(&self) -> &'static str {
        self.with(|state| match (state.created, state.appending, state.readable, state.writable) {
            (true, _, true, _) => "xb+",
            (true, ..) => "xb",
            (_, true, true, _) => "ab+",
            (_, true, ..) => "ab",
            (_, _, true, true) => "rb+",
            (_, _, true, false) => "rb",
            _ => "wb",
        })
    }

    /// Reads into `target`: how many bytes; `None` when a non-blocking file has none yet.
    pub fn read_into(&self, vm: &Vm, target: &mut [u8]) -> Result<Option<usize>> {
        let fd = self.readable_fd(vm)?;
        read_descriptor(vm, fd, target)
    }

    /// Writes of `data`: how many bytes; `None` when a non-blocking file takes none.
    pub fn write_from(&self, vm: &Vm, data: &[u8]) -> Result<Option<usize>> {
        let fd = self.writable_fd(vm)?;
        let length = data.len().min(MAX_TRANSFER);
        // SAFETY: the slice has so many bytes.
        match retry(vm, || unsafe { libc::write(fd, data.as_ptr().cast(), length) as i64 })? {
            Ok(count) => Ok(Some(count as usize)),
            Err(libc::EAGAIN) => Ok(None),
            Err(error) => Err(vm.os_error(error, None, None)),
        }
    }

    /// Moves the position; the new one.
    pub fn seek(&self, vm: &Vm, offset: i64, whence: i32) -> Result<i64> {
        let fd = self.open_fd(vm)?;
        // SAFETY: a system call on plain numbers.
        let (position, error) = blocking(|| (unsafe { libc::lseek(fd, offset, whence) }, errno()));
        self.with(|state| {
            state.seekable.get_or_insert(position >= 0);
        });
        if position < 0 { Err(vm.os_error(error, None, None)) } else { Ok(position) }
    }

    /// Reads until the end: `None` when a non-blocking file has nothing yet.
    fn read_all(&self, vm: &Vm) -> Result {
        let fd = self.open_fd(vm)?;
        if !self.with(|state| state.readable) {
            return Err(unsupported(vm, "File not open for reading"));
        }
        let size = self.with(|state| state.size);
        let mut data: Vec<u8> = Vec::new();
        let mut room = SMALL_CHUNK;
        if size > 0 {
            room = size as usize;
            if size as usize > SMALL_CHUNK {
                // SAFETY: a system call on plain numbers.
                let position = blocking(|| unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) });
                if position >= 0 && position <= size {
                    room = (size - position) as usize;
                }
            }
            // One more, so that the end is seen without growing.
            room += 1;
        }
        loop {
            if data.len() == data.capacity() {
                if data.try_reserve_exact(if data.is_empty() { room } else { grown(data.len()) }).is_err() {
                    return Err(vm.memory_error());
                }
            }
            let at = data.len();
            let length = (data.capacity() - at).min(MAX_TRANSFER);
            let pointer = data.spare_capacity_mut().as_mut_ptr();
            // SAFETY: there is room for so many bytes.
            match retry(vm, || unsafe { libc::read(fd, pointer.cast(), length) as i64 })? {
                Ok(0) => break,
                // SAFETY: so many bytes were written there.
                Ok(count) => unsafe { data.set_len(at + count as usize) },
                Err(libc::EAGAIN) if at == 0 => return Ok(Value::NONE),
                Err(libc::EAGAIN) => break,
                Err(error) => return Err(vm.os_error(error, None, None)),
            }
        }
        taipan_object::builtins::bytes::from_slice(vm, &data)
    }

    /// Warns that the file was not closed; `source` is what the program knew it as.
    fn dealloc_warn(&self, vm: &Vm, source: &Value) {
        if !self.with(|state| state.fd >= 0 && state.closefd) {
            return;
        }
        vm.preserving_exception(|vm| crate::arguments::unclosed_warning(vm, "file ", source, "file"));
    }

    /// Closes the descriptor.
    fn close_descriptor(&self, vm: &Vm) -> Result<()> {
        let fd = self.with(|state| std::mem::replace(&mut state.fd, -1));
        if fd < 0 {
            return Ok(());
        }
        // SAFETY: a system call on a descriptor that this object owns.
        let (closed, error) = blocking(|| (unsafe { libc::close(fd) }, errno()));
        if closed < 0 { Err(vm.os_error(error, None, None)) } else { Ok(()) }
    }

    fn is_seekable(&self, vm: &Vm) -> Result<bool> {
        self.open_fd(vm)?;
        if let Some(seekable) = self.with(|state| state.seekable) {
            return Ok(seekable);
        }
        match self.seek(vm, 0, libc::SEEK_CUR) {
            Ok(_) => Ok(true),
            Err(raised) => {
                vm.discard(raised);
                Ok(self.with(|state| state.seekable.unwrap_or(false)))
            }
        }
    }
}

/// `read` on a descriptor, for as much as `target` holds.
fn read_descriptor(vm: &Vm, fd: i32, target: &mut [u8]) -> Result<Option<usize>> {
    let length = target.len().min(MAX_TRANSFER);
    let pointer = target.as_mut_ptr();
    // SAFETY: the slice has room for so many bytes.
    match retry(vm, || unsafe { libc::read(fd, pointer.cast(), length) as i64 })? {
        Ok(count) => Ok(Some(count as usize)),
        Err(libc::EAGAIN) => Ok(None),
        Err(error) => Err(vm.os_error(error, None, None)),
    }
}

/// By how much a full buffer of `length` bytes grows while reading to the end.
fn grown(length: usize) -> usize {
    if length > 65536 { length >> 3 } else { 256 + length }.max(SMALL_CHUNK)
}

fn repr(vm: &Vm, this: &Value) -> Result {
    let class = this.ty().full_name();
    let file = FileIo::of(this);
    let (fd, closefd) = file.with(|state| (state.fd, state.closefd));
    if fd < 0 {
        return Ok(Value::from(format!("<{class} [closed]>")));
    }
    let closefd = if closefd { "True" } else { "False" };
    let mode = file.mode();
    let Some(name) = vm.get_attr_opt(this, &names().name)? else {
        return Ok(Value::from(format!("<{class} fd={fd} mode='{mode}' closefd={closefd}>")));
    };
    if !vm.enter_repr(this) {
        return Err(vm.runtime_error(format!("reentrant call inside {class}.__repr__")));
    }
    let name = vm.repr_string(&name);
    vm.leave_repr(this);
    Ok(Value::from(format!("<{class} name={} mode='{mode}' closefd={closefd}>", name?)))
}

fn close(vm: &Vm, this: &Value) -> Result {
    let file = FileIo::of(this);
    let base_closed = iobase::close(vm, this);
    if !file.with(|state| state.closefd) {
        file.with(|state| state.fd = -1);
        return base_closed.map(Value::from);
    }
    let first = base_closed.err().map(|raised| vm.take(raised));
    if file.with(|state| state.finalizing) {
        file.dealloc_warn(vm, this);
    }
    match (file.close_descriptor(vm), first) {
        (Ok(()), None) => Ok(Value::NONE),
        (Ok(()), Some(first)) => Err(vm.set_exception(first)),
        (Err(raised), None) => Err(raised),
        (Err(raised), Some(first)) => Err(with_context(vm, raised, first)),
    }
}

/// A whence given by Python code.
fn whence_argument(vm: &Vm, value: &Value) -> Result<i32> {
    vm.index_i32(value)
}

/// An offset for `lseek` or `ftruncate`.
fn position_argument(vm: &Vm, value: &Value) -> Result<i64> {
    let index = vm.index(value)?;
    int::to_i64(&index).ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))
}

fn writable_argument(vm: &Vm, buffer: &Value) -> Result<Buffer> {
    vm.writable_bytes_like(buffer).map_err(|raised| match vm.catch(raised, taipan_object::exceptions::type_error()) {
        Ok(_) => {
            let got = buffer.ty().name();
            vm.type_error(format!("readinto() argument 1 must be read-write bytes-like object, not {got}"))
        }
        Err(raised) => raised,
    })
}

fn count_or_none(count: Option<usize>) -> Value {
    count.map_or(Value::NONE, Value::from)
}

method_table! { static METHODS = [
    MethodDef::new("read($self, size=-1, /)", "Read at most size bytes, returned as bytes.\n\nMakes one system call, or several when size is negative. Returns None if the file is\nnon-blocking and has no data yet, and an empty bytes object at EOF.", |vm, this, args| {
        let file = FileIo::of(this);
        let size = size_argument(vm, &args[0])?;
        let fd = file.readable_fd(vm)?;
        if size < 0 {
            return file.read_all(vm);
        }
        let size = (size as usize).min(MAX_TRANSFER);
        let mut room: Vec<u8> = Vec::new();
        if room.try_reserve_exact(size).is_err() {
            return Err(vm.memory_error());
        }
        let pointer = room.as_mut_ptr();
        // SAFETY: there is room for so many bytes.
        match retry(vm, || unsafe { libc::read(fd, pointer.cast(), size) as i64 })? {
            Ok(count) => {
                // SAFETY: so many bytes were written.
                unsafe { room.set_len(count as usize) };
                taipan_object::builtins::bytes::from_slice(vm, &room)
            }
            Err(libc::EAGAIN) => Ok(Value::NONE),
            Err(error) => Err(vm.os_error(error, None, None)),
        }
    }),
    MethodDef::new("readall($self, /)", "Read all bytes that are left.", |vm, this, _| FileIo::of(this).read_all(vm)),
    MethodDef::new("readinto($self, buffer, /)", "\
        Read bytes into a buffer, as RawIOBase.readinto() does.", |vm, this, args| {
        let buffer = writable_argument(vm, &args[0])?;
        FileIo::of(this).read_into(vm, buffer.as_mut_slice()).map(count_or_none)
    }),
    MethodDef::new("write($self, b, /)", "Write buffer b to file, return number of bytes written, which may be less than its length.\n\nReturns None if the write would block.", |vm, this, args| {
        let file = FileIo::of(this);
        if let Some(data) = args[0].downcast_exact::<Bytes>() {
            return file.write_from(vm, data.as_slice()).map(count_or_none);
        }
        let data = vm.bytes_like(&args[0])?;
        file.write_from(vm, &data).map(count_or_none)
    }),
    MethodDef::new("seek($self, pos, whence=0, /)", "Move to a position, and return it.", |vm, this, args| {
        let whence = whence_argument(vm, &args[1])?;
        let file = FileIo::of(this);
        file.open_fd(vm)?;
        file.seek(vm, position_argument(vm, &args[0])?, whence).map(Value::from)
    }),
    MethodDef::new("tell($self, /)", "Current file position.", |vm, this, _| {
        FileIo::of(this).seek(vm, 0, libc::SEEK_CUR).map(Value::from)
    }),
    MethodDef::new("truncate($self, size=None, /)", "\
        Shorten or extend the file to size bytes, and return the size.\n\n\
        By default the file ends at the current position, which does not change.", |vm, this, args| {
        let file = FileIo::of(this);
        let fd = file.writable_fd(vm)?;
        let size = match args[0].given() {
            Some(size) => size.clone(),
            None => Value::from(file.seek(vm, 0, libc::SEEK_CUR)?),
        };
        let length = position_argument(vm, &size)?;
        // SAFETY: a system call on plain numbers.
        let (done, error) = blocking(|| (unsafe { libc::ftruncate(fd, length) }, errno()));
        // The size at opening is history.
        file.with(|state| state.size = -1);
        if done < 0 { Err(vm.os_error(error, None, None)) } else { Ok(size) }
    }),
    MethodDef::new("close($self, /)", "Close the file.\n\nFurther I/O raises a ValueError; closing again does nothing.", |vm, this, _| close(vm, this)),
    MethodDef::new("seekable($self, /)", "Tell whether the file's position can be \
        moved.", |vm, this, _| FileIo::of(this).is_seekable(vm).map(Value::bool)),
    MethodDef::new("readable($self, /)", "Tell whether the file's mode allows reading.", |vm, this, _| {
        let file = FileIo::of(this);
        file.open_fd(vm)?;
        Ok(Value::bool(file.with(|state| state.readable)))
    }),
    MethodDef::new("writable($self, /)", "Tell whether the file's mode allows writing.", |vm, this, _| {
        let file = FileIo::of(this);
        file.open_fd(vm)?;
        Ok(Value::bool(file.with(|state| state.writable)))
    }),
    MethodDef::new("fileno($self, /)", "\
        Return the number of the file descriptor.", |vm, this, _| FileIo::of(this).open_fd(vm).map(Value::from)),
    MethodDef::new("isatty($self, /)", "Tell whether the file is a terminal.", |vm, this, _| {
        let fd = FileIo::of(this).open_fd(vm)?;
        // SAFETY: a system call on a plain number.
        Ok(Value::bool(blocking(|| unsafe { libc::isatty(fd) }) != 0))
    }),
    MethodDef::new("_isatty_open_only($self, /)", "Whether the file that was just opened is a terminal: only character devices need to be asked.", |vm, this, _| {
        let file = FileIo::of(this);
        if !file.with(|state| state.may_be_terminal) {
            return Ok(Value::FALSE);
        }
        let fd = file.open_fd(vm)?;
        // SAFETY: a system call on a plain number.
        Ok(Value::bool(blocking(|| unsafe { libc::isatty(fd) }) != 0))
    }),
    MethodDef::new("_dealloc_warn($self, object, /)", "", |vm, this, args| {
        FileIo::of(this).dealloc_warn(vm, &args[0]);
        Ok(Value::NONE)
    }),
    MethodDef::new("__getstate__($self, /)", "", |vm, this, _| Err(cannot_pickle(vm, this))),
]; }
