//! The words that heap metadata is made of, and intrusive lists of them.
//!
//! A [`Word`] is written by one thread at a time (the owner of the page, or the holder of the pool's
//! lock) and may be read by any: relaxed loads and stores, which compile to plain moves.

use std::marker::PhantomData;
use std::ptr::null;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

pub struct Word(AtomicUsize);

impl Word {
    pub const fn new(value: usize) -> Self {
        Self(AtomicUsize::new(value))
    }

    #[inline(always)]
    pub fn get(&self) -> usize {
        self.0.load(Relaxed)
    }

    #[inline(always)]
    pub fn set(&self, value: usize) {
        self.0.store(value, Relaxed);
    }

    /// The word at an address.
    ///
    /// # Safety
    /// `address` is a multiple of 8 in mapped, writable memory, which stays mapped for `'a`.
    #[inline(always)]
    pub unsafe fn at<'a>(address: usize) -> &'a Word {
        // SAFETY: as the caller promises; a word is valid for every bit pattern.
        unsafe { &*(address as *const Word) }
    }
}

/// The two neighbours of an element of a [`List`].
pub struct Links {
    next: Word,
    previous: Word,
}

/// An element of lists; `WHICH` tells lists apart that the same element is in at once.
pub trait Linked<const WHICH: usize> {
    fn links(&self) -> &Links;
}

/// A doubly linked list through its elements. Whoever uses it holds the lock or owns the thread
/// that the list belongs to.
pub struct List<T, const WHICH: usize> {
    head: Word,
    tail: Word,
    element: PhantomData<*const T>,
}

impl<T: Linked<WHICH>, const WHICH: usize> List<T, WHICH> {
    pub const fn new() -> Self {
        Self { head: Word::new(0), tail: Word::new(0), element: PhantomData }
    }

    pub fn first(&self) -> *const T {
        self.head.get() as *const T
    }

    pub fn last(&self) -> *const T {
        self.tail.get() as *const T
    }

    /// The element after `element`, null at the end.
    ///
    /// # Safety
    /// `element` is in this list.
    pub unsafe fn after(&self, element: *const T) -> *const T {
        // SAFETY: an element of the list is alive.
        unsafe { (*element).links() }.next.get() as *const T
    }

    /// # Safety
    /// `element` is alive, in no list of this kind, and stays alive until it is removed.
    pub unsafe fn push_front(&self, element: *const T) {
        let first = self.head.get();
        // SAFETY: `element` and the elements of the list are alive.
        unsafe {
            (*element).links().next.set(first);
            (*element).links().previous.set(0);
            match (first as *const T).as_ref() {
                Some(first) => first.links().previous.set(element as usize),
                None => self.tail.set(element as usize),
            }
        }
        self.head.set(element as usize);
    }

    /// # Safety
    /// As for [`push_front`](Self::push_front).
    pub unsafe fn push_back(&self, element: *const T) {
        let last = self.tail.get();
        // SAFETY: `element` and the elements of the list are alive.
        unsafe {
            (*element).links().next.set(0);
            (*element).links().previous.set(last);
            match (last as *const T).as_ref() {
                Some(last) => last.links().next.set(element as usize),
                None => self.head.set(element as usize),
            }
        }
        self.tail.set(element as usize);
    }

    /// # Safety
    /// `element` is in this list.
    pub unsafe fn remove(&self, element: *const T) {
        // SAFETY: `element` and its neighbours are in the list, so alive.
        unsafe {
            let next = (*element).links().next.get();
            let previous = (*element).links().previous.get();
            match (next as *const T).as_ref() {
                Some(next) => next.links().previous.set(previous),
                None => self.tail.set(previous),
            }
            match (previous as *const T).as_ref() {
                Some(previous) => previous.links().next.set(next),
                None => self.head.set(next),
            }
        }
    }

    pub fn pop_front(&self) -> *const T {
        let first = self.first();
        if first.is_null() {
            return null();
        }
        // SAFETY: the first element is in the list.
        unsafe { self.remove(first) };
        first
    }
}
