//! Segments: large aligned mappings, cut into pages, and the pool of all of them.
//!
//! The address of an object, rounded down to [`SEGMENT_SIZE`], is its segment's header. There are three
//! layouts: *slices* (64 pages of 64 KiB; a block of its own may take several), *spans* (8 pages of
//! 512 KiB, for the larger classes) and *huge* (one block, a mapping of any length).
//!
//! The pool is behind one mutex, which threads take once per page. Its lock comes after that of the
//! thread records (`local.rs`). While a walk is under way (`walk.rs`), and always where readers are
//! optimistic ([`set_deferred_release`]), no page and no segment goes away: what is released meanwhile
//! waits in `deferred`.

use super::page::{FIRST_OBJECT, NO_BIN, Page, State};
use super::size_class::{MAX_CLASS_BLOCK, SMALL_BLOCK};
use super::word::{Linked, Links, List, Word};
use super::{Kind, limit, prefix, sanitizer, size_class, system};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub const SEGMENT_SIZE: usize = 1 << SEGMENT_SHIFT;
const SEGMENT_SHIFT: u32 = 22;
const SEGMENT_MASK: usize = SEGMENT_SIZE - 1;

const SLICE_SHIFT: u32 = 16;
/// Bytes of a page of one slice.
pub const PAGE_BYTES: usize = 1 << SLICE_SHIFT;
const SPAN_SHIFT: u32 = 19;
/// The largest block in a page of one slice.
const MAX_SLICE_BLOCK: usize = 4096;
/// The most slices that a block of its own takes inside a segment.
const MAX_SLICES: usize = 32;
const SYSTEM_PAGE: usize = 4096;
/// How many huge blocks, and how many bytes of them, are kept for the next ones: making their memory present costs more than
/// most programs do with it.
const KEPT: usize = 4;
const KEPT_BYTES: usize = 16 << 20;

#[repr(C, align(64))]
pub struct Segment {
    /// An offset into the segment, shifted right by this, is the index of the page.
    shift: Word,
    /// Bytes of the mapping.
    length: Word,
    /// Bit sets of units: those in no page; pages in use, by their first unit; those that hold containers.
    unused: Word,
    used: Word,
    containers: Word,
    /// Pages that were allocated from since [`Pool::settle`]. Set by their owners.
    recent: AtomicUsize,
    /// Those that were so before, since the last call that was for more than the youngest objects.
    middle: Word,
    all: Links,
    partial: Links,
    pages: [Page; 64],
}

const ALL: usize = 0;
const PARTIAL: usize = 1;

impl Linked<ALL> for Segment {
    fn links(&self) -> &Links {
        &self.all
    }
}

impl Linked<PARTIAL> for Segment {
    fn links(&self) -> &Links {
        &self.partial
    }
}

impl Segment {
    /// The segment of an object or of a page's metadata.
    ///
    /// # Safety
    /// `address` is that of an object of this heap or of a page's metadata.
    #[inline(always)]
    unsafe fn of<'a>(address: usize) -> &'a Segment {
        // SAFETY: objects and page metadata lie in the first `SEGMENT_SIZE` bytes of an aligned segment.
        unsafe { &*((address & !SEGMENT_MASK) as *const Segment) }
    }

    fn start(&self) -> usize {
        (self as *const Segment).expose_provenance()
    }

    fn is_huge(&self) -> bool {
        self.shift.get() == SEGMENT_SHIFT as usize
    }

    /// All units of the segment, as a bit set.
    fn units(&self) -> usize {
        usize::MAX >> (64 - (SEGMENT_SIZE >> self.shift.get()))
    }

    fn index_of(&self, page: &Page) -> usize {
        (page as *const Page as usize - self.pages.as_ptr() as usize) / size_of::<Page>()
    }

    /// The memory of `units` units from `index` on. The header takes the beginning of the first.
    fn memory(&self, index: usize, units: usize) -> (usize, usize) {
        let start = self.start();
        let from = if index == 0 { start + size_of::<Segment>() } else { start + (index << self.shift.get()) };
        let to = if self.is_huge() { start + self.length.get() } else { start + ((index + units) << self.shift.get()) };
        (from, to)
    }

    /// Calls `f` with each page in use that is in `bits`.
    fn for_each_page(&self, bits: usize, mut f: impl FnMut(&Page)) {
        let mut bits = bits & self.used.get();
        while bits != 0 {
            f(&self.pages[bits.trailing_zeros() as usize]);
            bits &= bits - 1;
        }
    }
}

/// The page of an object.
///
/// # Safety
/// `object` is an object of this heap; the page is valid for as long as the object is allocated.
#[inline(always)]
pub unsafe fn page_of<'a>(object: usize) -> &'a Page {
    // SAFETY: as the caller promises. The shift leaves at most 64 units.
    unsafe {
        let segment = Segment::of(object);
        let index = (object & SEGMENT_MASK) >> (segment.shift.get() & 63);
        segment.pages.get_unchecked(index)
    }
}

/// Whether pages without objects keep their layout until [`release_deferred`]. For the process without the
/// GIL, where a reader may look at the header of an object that another thread has just freed: as long as the
/// page stays what it is, the reader finds a header or a free block.
pub fn set_deferred_release(deferred: bool) {
    pool().set_deferring(deferred);
}

/// As it was set by [`set_deferred_release`].
static DEFERRING: AtomicBool = AtomicBool::new(false);

/// Whether pages without objects keep their layout.
pub fn is_deferring() -> bool {
    DEFERRING.load(Relaxed)
}

/// Releases the pages that were put off. No optimistic reader is under way: the world is stopped.
pub fn release_deferred() {
    pool().release_deferred();
}

/// How many bytes wait for [`release_deferred`].
pub fn deferred_bytes() -> usize {
    pool().deferred_bytes()
}

/// Remembers that objects are allocated from this page.
pub fn mark_recent(page: &Page) {
    // SAFETY: page metadata lies in its segment.
    let segment = unsafe { Segment::of(page as *const Page as usize) };
    let bit = 1 << segment.index_of(page);
    if segment.recent.load(Relaxed) & bit == 0 {
        segment.recent.fetch_or(bit, Relaxed);
    }
}

/// Which pages a walk is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    All,
    Containers,
    YoungestContainers,
    RecentContainers,
}

#[derive(Clone, Copy)]
#[repr(usize)]
enum Layout {
    Slices,
    Spans,
}

pub struct Pool {
    segments: List<Segment, ALL>,
    /// Segments with unused units, by layout; the empty ones at the end.
    partial: [List<Segment, PARTIAL>; 2],
    live: usize,
    empty: usize,
    /// Walks under way.
    walks: usize,
    /// Pages are only released by [`release_deferred`](Self::release_deferred).
    deferring: bool,
    deferred: List<Page, 0>,
    deferred_bytes: usize,
    /// Address of a mapped segment that is not in use, for emergencies; 0 when there is none.
    spare: usize,
    /// Allocations under way that may use the spare segment and exceed the limit.
    emergencies: usize,
    /// Addresses of huge segments that are in no list, ready to be used again; 0 for none.
    kept: [usize; KEPT],
    kept_bytes: usize,
}

// SAFETY: the pool's lists consist of plain words about memory that belongs to the whole process.
unsafe impl Send for Pool {}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    segments: List::new(),
    partial: [List::new(), List::new()],
    live: 0,
    empty: 0,
    walks: 0,
    deferring: false,
    deferred: List::new(),
    deferred_bytes: 0,
    spare: 0,
    emergencies: 0,
    kept: [0; KEPT],
    kept_bytes: 0,
});

/// The pool, locked. A panic while it was locked (in a test) does not make it unusable.
pub fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// A page for blocks of a class. It belongs to nobody yet.
    pub fn take_page(&mut self, class: usize, bin: usize, kind: Kind) -> Option<&'static Page> {
        if self.deferring
            && let Some(page) = self.take_deferred(bin)
        {
            return Some(page);
        }
        // Emergencies come before what there is room for in the segments.
        if self.spare == 0 && self.emergencies == 0 && self.live > 0 {
            self.spare = system::map(SEGMENT_SIZE, SEGMENT_SIZE)?;
        }
        let block_size = size_class::block_size(class);
        let layout = if block_size <= MAX_SLICE_BLOCK { Layout::Slices } else { Layout::Spans };
        let bytes = 1 << layout.shift();
        if !limit::charge_pages(bytes, self.emergencies > 0) {
            return None;
        }
        let first = self.partial[layout as usize].first();
        let segment = if first.is_null() { self.add_segment(layout) } else { Some(first) };
        let Some(segment) = segment else {
            limit::refund_pages(bytes);
            return None;
        };
        // SAFETY: segments in the pool's lists are mapped. Their pages are handed out as `'static`
        // because a page is only released by those who use it.
        let segment: &'static Segment = unsafe { &*segment };
        let index = segment.unused.get().trailing_zeros() as usize;
        Some(self.take_units(segment, layout, index, 1, block_size, bin, kind))
    }

    /// A page for one block of at least `block` bytes, which is more than [`MAX_CLASS_BLOCK`].
    pub fn take_single(&mut self, block: usize, kind: Kind) -> Option<&'static Page> {
        debug_assert!(block > MAX_CLASS_BLOCK);
        let memory = (block - prefix()).checked_add(FIRST_OBJECT)?;
        let slices = memory.div_ceil(1 << SLICE_SHIFT);
        if slices > MAX_SLICES {
            return self.take_huge(memory, kind);
        }
        let bytes = slices << SLICE_SHIFT;
        if !limit::charge_pages(bytes, false) {
            return None;
        }
        let found = self.find_run(slices).or_else(|| {
            let segment = self.add_segment(Layout::Slices)?;
            Some((segment, 64 - slices))
        });
        let Some((segment, index)) = found else {
            limit::refund_pages(bytes);
            return None;
        };
        // SAFETY: as in `take_page`.
        let segment: &'static Segment = unsafe { &*segment };
        let size = bytes - FIRST_OBJECT + prefix();
        let page = self.take_units(segment, Layout::Slices, index, slices, size, NO_BIN, kind);
        Some(make_single(page))
    }

    /// Takes back a page without objects, or puts it off.
    pub fn release(&mut self, page: &Page) {
        page.set_state(State::Released);
        if self.walks > 0 || self.deferring {
            // SAFETY: the page is in no other list: an available one was taken out of its list.
            unsafe { self.deferred.push_back(page) };
            self.deferred_bytes += page.bytes();
        } else {
            self.release_now(page);
        }
    }

    pub fn set_deferring(&mut self, deferring: bool) {
        self.deferring = deferring;
        DEFERRING.store(deferring, Relaxed);
    }

    pub fn deferred_bytes(&self) -> usize {
        self.deferred_bytes
    }

    /// Releases what was put off, unless a walk is under way.
    pub fn release_deferred(&mut self) {
        while self.walks == 0 {
            // SAFETY: deferred pages are still in their segments.
            match unsafe { self.deferred.pop_front().as_ref() } {
                Some(page) => {
                    self.deferred_bytes -= page.bytes();
                    self.release_now(page);
                }
                None => break,
            }
        }
    }

    /// A deferred page of a bin. Its blocks stay where they are, so that optimistic readers do not mind.
    fn take_deferred(&mut self, bin: usize) -> Option<&'static Page> {
        let mut page = self.deferred.first();
        for _ in 0..16 {
            // SAFETY: deferred pages are still in their segments, and stay there when they are used again.
            let candidate: &'static Page = unsafe { page.as_ref() }?;
            if candidate.bin() == bin {
                // SAFETY: the page is in the list.
                unsafe { self.deferred.remove(page) };
                self.deferred_bytes -= candidate.bytes();
                return Some(candidate);
            }
            // SAFETY: the page is in the list.
            page = unsafe { self.deferred.after(page) };
        }
        None
    }

    fn release_now(&mut self, page: &Page) {
        // SAFETY: page metadata lies in its segment.
        let segment = unsafe { &*(Segment::of(page as *const Page as usize) as *const Segment) };
        if segment.is_huge() {
            self.give_up(segment);
            return;
        }
        let layout = if segment.shift.get() == SLICE_SHIFT as usize { Layout::Slices } else { Layout::Spans };
        let index = segment.index_of(page);
        let units = page.units.get();
        limit::refund_pages(units << layout.shift());
        segment.used.set(segment.used.get() & !(1 << index));
        segment.containers.set(segment.containers.get() & !(1 << index));
        let partial = &self.partial[layout as usize];
        let before = segment.unused.get();
        let unused = before | run(units) << index;
        segment.unused.set(unused);
        // SAFETY: a segment is in the list of partial ones exactly while it has unused units.
        unsafe {
            if unused == segment.units() {
                if before != 0 {
                    partial.remove(segment);
                }
                // A few empty segments are kept, so that a program at the brink does not map and unmap; but the one for
                // emergencies comes first.
                if self.spare == 0 || self.empty > self.live / 8 {
                    self.unmap(segment);
                } else {
                    self.empty += 1;
                    partial.push_back(segment);
                }
            } else if before == 0 {
                partial.push_front(segment);
            } else if units > 1 {
                partial.remove(segment);
                partial.push_front(segment);
            }
        }
    }

    /// Gives the memory of unused pages back to the system. For after a full collection.
    pub fn trim(&mut self) {
        if self.walks > 0 {
            return;
        }
        self.release_kept(usize::MAX);
        let mut next = self.segments.first();
        while !next.is_null() {
            // SAFETY: the segment is in the list, so mapped; its successor is read before it goes.
            let segment = unsafe { &*next };
            // SAFETY: as above.
            next = unsafe { self.segments.after(next) };
            let mut unused = segment.unused.get();
            if unused == segment.units() && !segment.is_huge() && self.empty > 1 {
                let layout = usize::from(segment.shift.get() != SLICE_SHIFT as usize);
                self.empty -= 1;
                // SAFETY: an empty segment is in the list of partial ones.
                unsafe { self.partial[layout].remove(segment) };
                self.unmap(segment);
                continue;
            }
            while unused != 0 {
                let index = unused.trailing_zeros() as usize;
                let count = (unused >> index).trailing_ones() as usize;
                let (from, to) = segment.memory(index, count);
                let from = from.next_multiple_of(SYSTEM_PAGE);
                // SAFETY: the range holds no page in use.
                unsafe { system::purge(from, to - from) };
                unused &= !(run(count) << index);
            }
        }
    }

    /// Forgets which pages were allocated from, but for those that still are. If only the `youngest` objects are settled, these
    /// pages are remembered as ones with objects that are neither the youngest nor old.
    pub fn settle(&mut self, youngest: bool) {
        self.for_each_segment(|segment| {
            let mut recent = 0;
            let before = segment.recent.load(Relaxed);
            segment.middle.set(if youngest { segment.middle.get() | before } else { 0 });
            segment.for_each_page(before, |page| {
                if page.state() == State::Current {
                    recent |= 1 << segment.index_of(page);
                }
            });
            segment.recent.store(recent, Relaxed);
        });
    }

    /// Calls `f` with each page in use.
    pub fn for_each_page(&self, mut f: impl FnMut(&Page)) {
        self.for_each_segment(|segment| segment.for_each_page(usize::MAX, &mut f));
    }

    pub fn mapped_bytes(&self) -> usize {
        let mut bytes = 0;
        self.for_each_segment(|segment| bytes += segment.length.get());
        bytes
    }

    pub fn begin_emergency(&mut self) {
        self.emergencies += 1;
    }

    pub fn end_emergency(&mut self) {
        self.emergencies -= 1;
    }

    pub fn begin_walk(&mut self) {
        self.walks += 1;
    }

    pub fn end_walk(&mut self) {
        self.walks -= 1;
        if !self.deferring {
            self.release_deferred();
        }
    }

    /// The segment after `segment` (null for the first) and which of its pages are to be walked.
    ///
    /// # Safety
    /// A walk is under way, and `segment` is null or was got from here in that walk.
    pub unsafe fn next_in_walk(&self, segment: *const Segment, pages: Pages) -> Option<(&'static Segment, usize)> {
        // SAFETY: during a walk segments stay where they are.
        unsafe {
            let next = if segment.is_null() { self.segments.first() } else { self.segments.after(segment) };
            let segment = next.as_ref()?;
            let bits = match pages {
                Pages::All => segment.used.get(),
                Pages::Containers => segment.containers.get(),
                Pages::YoungestContainers => segment.containers.get() & segment.recent.load(Relaxed),
                Pages::RecentContainers => {
                    segment.containers.get() & (segment.recent.load(Relaxed) | segment.middle.get())
                }
            };
            Some((segment, bits))
        }
    }

    fn for_each_segment(&self, mut f: impl FnMut(&Segment)) {
        let mut segment = self.segments.first();
        while !segment.is_null() {
            // SAFETY: segments in the list are mapped, and the lock keeps the list as it is.
            unsafe {
                f(&*segment);
                segment = self.segments.after(segment);
            }
        }
    }

    fn take_units(
        &mut self,
        segment: &'static Segment,
        layout: Layout,
        index: usize,
        units: usize,
        block_size: usize,
        bin: usize,
        kind: Kind,
    ) -> &'static Page {
        let before = segment.unused.get();
        if before == segment.units() {
            self.empty -= 1;
        }
        let unused = before & !(run(units) << index);
        segment.unused.set(unused);
        if unused == 0 {
            // SAFETY: the segment had unused units, so it is in the list.
            unsafe { self.partial[layout as usize].remove(segment) };
        }
        let page = &segment.pages[index];
        let (start, end) = segment.memory(index, units);
        // The first blocks of pages are the busiest ones, so they should not meet in the same cache sets.
        let color = if block_size <= SMALL_BLOCK { index % 16 * 64 } else { 0 };
        page.initialize(start + color, end, block_size, bin, kind);
        page.units.set(units);
        segment.used.set(segment.used.get() | 1 << index);
        if kind == Kind::Container {
            segment.containers.set(segment.containers.get() | 1 << index);
        }
        page
    }

    /// Where `slices` unused slices follow each other, never at the beginning of a segment. Looks at some
    /// segments only: those where runs became free last come first, an empty one would be the last.
    fn find_run(&self, slices: usize) -> Option<(*const Segment, usize)> {
        const ATTEMPTS: usize = 64;
        let list = &self.partial[Layout::Slices as usize];
        let mut segment = list.first();
        for attempt in 0..=ATTEMPTS {
            if segment.is_null() {
                break;
            }
            // SAFETY: segments in the list are mapped.
            let mut starts = unsafe { &*segment }.unused.get() & !1;
            let mut length = 1;
            while length < slices && starts != 0 {
                let step = length.min(slices - length);
                starts &= starts >> step;
                length += step;
            }
            if starts != 0 {
                // From the end, because small pages come from the beginning.
                return Some((segment, starts.ilog2() as usize));
            }
            // SAFETY: `segment` is in the list.
            segment = if attempt + 1 < ATTEMPTS { unsafe { list.after(segment) } } else { list.last() };
        }
        None
    }

    fn take_huge(&mut self, memory: usize, kind: Kind) -> Option<&'static Page> {
        let length = memory.checked_add(size_of::<Segment>() + SYSTEM_PAGE)? & !(SYSTEM_PAGE - 1);
        if length > isize::MAX as usize || !limit::charge_pages(length, false) {
            return None;
        }
        let (segment, length) = match self.take_kept(length) {
            Some(kept) => kept,
            None => match self.map(length, SEGMENT_SHIFT) {
                Some(segment) => (segment, length),
                None => {
                    limit::refund_pages(length);
                    return None;
                }
            },
        };
        debug_assert_eq!(segment.length.get(), length);
        let page = &segment.pages[0];
        let (start, end) = segment.memory(0, 1);
        page.initialize(start, end, end - (start + FIRST_OBJECT) + prefix(), NO_BIN, kind);
        page.units.set(1);
        segment.unused.set(0);
        segment.used.set(1);
        segment.containers.set(usize::from(kind == Kind::Container));
        Some(make_single(page))
    }

    /// A huge segment that was kept, not much longer than is asked for; the difference is charged, too. Shorter ones go: who
    /// asks for more and more shall not have them beside.
    fn take_kept(&mut self, length: usize) -> Option<(&'static Segment, usize)> {
        let fits = |start: usize| {
            // SAFETY: kept segments are mapped, and nobody else knows of them.
            let has = if start == 0 { 0 } else { unsafe { &*(start as *const Segment) }.length.get() };
            (has >= length && has / 2 <= length).then_some(has)
        };
        let found = (0..KEPT).filter_map(|at| Some((fits(self.kept[at])?, at))).min();
        let Some((has, at)) = found.filter(|(has, _)| limit::charge_pages(has - length, false)) else {
            self.release_kept(length);
            return None;
        };
        let start = std::mem::take(&mut self.kept[at]);
        self.kept_bytes -= has;
        map::cover(start, has);
        // SAFETY: as above; its header is that of a huge segment without a block.
        let segment: &'static Segment = unsafe { &*(start as *const Segment) };
        segment.recent.store(0, Relaxed);
        segment.middle.set(0);
        // SAFETY: a kept segment is in no list.
        unsafe { self.segments.push_back(segment) };
        self.live += 1;
        Some((segment, has))
    }

    /// Keeps a huge segment without a block for later, if there is room, else gives it back to the system.
    fn give_up(&mut self, segment: &Segment) {
        let (start, length) = (segment.start(), segment.length.get());
        let place = self.kept.iter().position(|kept| *kept == 0);
        let Some(place) = place.filter(|_| self.kept_bytes + length <= KEPT_BYTES && self.emergencies == 0) else {
            return self.unmap(segment);
        };
        limit::refund_pages(length);
        segment.used.set(0);
        segment.containers.set(0);
        // SAFETY: the segment is in the list of all segments.
        unsafe { self.segments.remove(segment) };
        self.live -= 1;
        map::uncover(start, length);
        sanitizer::allowed(start, length);
        self.kept[place] = start;
        self.kept_bytes += length;
    }

    /// Gives those of the kept segments back to the system that are shorter than `length`; whether there were any.
    fn release_kept(&mut self, length: usize) -> bool {
        let mut any = false;
        for kept in &mut self.kept {
            // SAFETY: kept segments are mapped, and nobody else knows of them.
            let has = if *kept == 0 { usize::MAX } else { unsafe { &*(*kept as *const Segment) }.length.get() };
            if has < length {
                // SAFETY: as above.
                unsafe { system::unmap(std::mem::take(kept), has) };
                self.kept_bytes -= has;
                any = true;
            }
        }
        any
    }

    fn add_segment(&mut self, layout: Layout) -> Option<*const Segment> {
        let segment = self.map(SEGMENT_SIZE, layout.shift())?;
        segment.unused.set(segment.units());
        self.empty += 1;
        // SAFETY: the segment is new, so in no list.
        unsafe { self.partial[layout as usize].push_front(segment) };
        Some(segment)
    }

    fn map(&mut self, length: usize, shift: u32) -> Option<&'static Segment> {
        let mut mapped = system::map(length, SEGMENT_SIZE);
        if mapped.is_none() && self.release_kept(usize::MAX) {
            mapped = system::map(length, SEGMENT_SIZE);
        }
        let start = match mapped {
            Some(start) => {
                if self.spare == 0 {
                    self.spare = system::map(SEGMENT_SIZE, SEGMENT_SIZE).unwrap_or(0);
                }
                if self.spare == 0 && self.emergencies == 0 {
                    // The last there is belongs to emergencies.
                    if length == SEGMENT_SIZE {
                        self.spare = start;
                    } else {
                        // SAFETY: nobody knows of the mapping yet.
                        unsafe { system::unmap(start, length) };
                    }
                    return None;
                }
                start
            }
            None if self.emergencies > 0 && length == SEGMENT_SIZE && self.spare != 0 => {
                std::mem::take(&mut self.spare)
            }
            None => return None,
        };
        if !map::cover(start, length) {
            // SAFETY: nobody knows of the mapping yet.
            unsafe { system::unmap(start, length) };
            return None;
        }
        // SAFETY: the mapping is zeroed, which is a valid header, and it outlives every use.
        let segment: &'static Segment = unsafe { &*(start as *const Segment) };
        segment.shift.set(shift as usize);
        segment.length.set(length);
        // SAFETY: the segment is new, so in no list.
        unsafe { self.segments.push_back(segment) };
        self.live += 1;
        Some(segment)
    }

    /// Gives an empty segment, in no list but that of all, back to the system.
    fn unmap(&mut self, segment: &Segment) {
        let (start, length) = (segment.start(), segment.length.get());
        if segment.is_huge() {
            limit::refund_pages(length);
        }
        // SAFETY: the segment is in the list of all segments, and nothing in it is in use.
        unsafe {
            self.segments.remove(segment);
            self.live -= 1;
            map::uncover(start, length);
            sanitizer::allowed(start, length);
            // A spare segment is all zeros, as a new one would be.
            if self.spare == 0 && length == SEGMENT_SIZE && system::purge(start, length) {
                self.spare = start;
            } else {
                system::unmap(start, length);
            }
        }
    }
}

impl Layout {
    fn shift(self) -> u32 {
        match self {
            Layout::Slices => SLICE_SHIFT,
            Layout::Spans => SPAN_SHIFT,
        }
    }
}

/// The lowest `count` bits.
fn run(count: usize) -> usize {
    usize::MAX >> (64 - count)
}

fn make_single(page: &'static Page) -> &'static Page {
    page.set_state(State::Single);
    page.extend();
    page
}

pub fn page_at(segment: &Segment, index: usize) -> &Page {
    &segment.pages[index]
}

/// Which parts of the address space are segments: one bit per [`SEGMENT_SIZE`].
mod map {
    use super::*;

    const ADDRESS_BITS: u32 = 48;
    const WORDS: usize = 1 << (ADDRESS_BITS - SEGMENT_SHIFT - 6);

    /// Zeros, so the program file does not grow, and the system backs only what is written.
    static MAP: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];

    pub fn contains(address: usize) -> bool {
        let bit = address >> SEGMENT_SHIFT;
        MAP.get(bit / 64).is_some_and(|word| word.load(Relaxed) >> (bit % 64) & 1 != 0)
    }

    /// Whether the addresses are such as the map knows.
    pub fn cover(start: usize, length: usize) -> bool {
        let last = (start + length - 1) >> SEGMENT_SHIFT;
        if last / 64 >= WORDS {
            return false;
        }
        for bit in start >> SEGMENT_SHIFT..=last {
            MAP[bit / 64].fetch_or(1 << (bit % 64), Relaxed);
        }
        true
    }

    pub fn uncover(start: usize, length: usize) {
        for bit in start >> SEGMENT_SHIFT..=(start + length - 1) >> SEGMENT_SHIFT {
            MAP[bit / 64].fetch_and(!(1 << (bit % 64)), Relaxed);
        }
    }
}

pub use map::contains as is_segment;
