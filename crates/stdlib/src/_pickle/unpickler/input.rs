//! Where an unpickler gets its bytes: an object's memory, or a file, from which no more is taken than the pickle has.

use super::super::unpickling_error;
use crate::payload::Field;
use taipan_object::object::Visitor;
use taipan_object::vm::names;
use taipan_object::{Raised, Result, Value, Vm, exceptions};

/// How much to look ahead in a file that lets us.
const PREFETCH: usize = 128 * 1024;

/// The methods of a file.
#[derive(Clone)]
pub struct File {
    read: Value,
    readline: Value,
    peek: Option<Value>,
}

impl Field for Option<File> {
    fn visit(&self, visit: Visitor) {
        if let Some(file) = self {
            visit(&file.read);
            visit(&file.readline);
            file.peek.iter().for_each(visit);
        }
    }
    fn take(&mut self) -> Self {
        Option::take(self)
    }
}

impl File {
    pub fn of(vm: &Vm, file: &Value) -> Result<File> {
        let peek = vm.get_attr_str_opt(file, "peek")?;
        let read = vm.get_attr_opt(file, &names().read)?;
        let readline = vm.get_attr_opt(file, &names().readline)?;
        match (read, readline) {
            (Some(read), Some(readline)) => Ok(File { read, readline, peek }),
            _ => Err(vm.type_error("file must have 'read' and 'readline' attributes")),
        }
    }
}

pub struct Input<'a> {
    /// The whole pickle, if there is no file.
    data: &'a [u8],
    /// What was got from the file last.
    buffer: Vec<u8>,
    at: usize,
    file: Option<File>,
    /// The buffer was looked at only: the file still has it all.
    peeked: bool,
    /// Where the current frame ends.
    frame_end: Option<usize>,
}

impl<'a> Input<'a> {
    pub fn of_bytes(data: &'a [u8]) -> Input<'a> {
        Input { data, buffer: Vec::new(), at: 0, file: None, peeked: false, frame_end: None }
    }

    pub fn of_file(file: File) -> Input<'a> {
        Input { data: &[], buffer: Vec::new(), at: 0, file: Some(file), peeked: false, frame_end: None }
    }

    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        if self.file.is_some() { &self.buffer } else { self.data }
    }

    /// The next `count` bytes.
    #[inline(always)]
    pub fn read(&mut self, vm: &Vm, count: usize) -> Result<&[u8]> {
        let start = self.at;
        let limit = self.frame_end.unwrap_or(self.bytes().len());
        if count > limit - start {
            return self.read_slowly(vm, count);
        }
        self.at = start + count;
        Ok(&self.bytes()[start..start + count])
    }

    #[cold]
    fn read_slowly(&mut self, vm: &Vm, count: usize) -> Result<&[u8]> {
        self.leave_frame(vm)?;
        self.make_available(vm, count)?;
        let start = self.at;
        self.at = start + count;
        Ok(&self.bytes()[start..start + count])
    }

    #[inline(always)]
    pub fn array<const N: usize>(&mut self, vm: &Vm) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.read(vm, N)?);
        Ok(array)
    }

    #[inline(always)]
    pub fn byte(&mut self, vm: &Vm) -> Result<u8> {
        Ok(self.read(vm, 1)?[0])
    }

    /// More is wanted than the frame has: that is an error unless it has been read up.
    fn leave_frame(&mut self, vm: &Vm) -> Result<()> {
        match self.frame_end {
            Some(end) if end != self.at => Err(unpickling_error(vm, "pickle exhausted before end of frame")),
            _ => {
                self.frame_end = None;
                Ok(())
            }
        }
    }

    /// Begins a frame of `length` bytes.
    pub fn begin_frame(&mut self, vm: &Vm, length: usize) -> Result<()> {
        if self.frame_end.is_some_and(|end| end != self.at) {
            return Err(unpickling_error(vm, "beginning of a new frame before end of current frame"));
        }
        self.frame_end = None;
        self.make_available(vm, length)?;
        self.frame_end = Some(self.at + length);
        Ok(())
    }

    /// Sees to it that `count` bytes follow in the buffer.
    fn make_available(&mut self, vm: &Vm, count: usize) -> Result<()> {
        if count <= self.bytes().len() - self.at {
            return Ok(());
        }
        if self.file.is_none() {
            return Err(truncated(vm));
        }
        self.give_back(vm)?;
        if self.peek(vm, count)? {
            return Ok(());
        }
        let Some(file) = &self.file else { return Err(truncated(vm)) };
        let data = vm.call_args(&file.read, &[Value::from(count)])?;
        self.set_buffer(vm, &data)?;
        if self.buffer.len() < count { Err(truncated(vm)) } else { Ok(()) }
    }

    fn set_buffer(&mut self, vm: &Vm, data: &Value) -> Result<()> {
        self.buffer = vm.buffer_of(&vm.bytes_like(data)?)?;
        self.at = 0;
        self.peeked = false;
        Ok(())
    }

    /// Looks ahead; false if the file does not let us, or shows too little.
    fn peek(&mut self, vm: &Vm, count: usize) -> Result<bool> {
        let Some(peek) = self.file.as_ref().and_then(|file| file.peek.clone()).filter(|_| count < PREFETCH) else {
            return Ok(false);
        };
        match vm.call_args(&peek, &[Value::from(PREFETCH)]) {
            Ok(data) => {
                self.set_buffer(vm, &data)?;
                self.peeked = true;
            }
            Err(raised) => {
                vm.catch(raised, exceptions::NOT_IMPLEMENTED_ERROR.ty())?;
                if let Some(file) = &mut self.file {
                    file.peek = None;
                }
                return Ok(false);
            }
        }
        if self.buffer.len() >= count {
            return Ok(true);
        }
        self.give_back(vm)?;
        Ok(false)
    }

    /// Takes from the file what was read of the bytes looked at, and forgets the rest.
    pub fn give_back(&mut self, vm: &Vm) -> Result<()> {
        let used = if self.peeked { self.at } else { 0 };
        self.peeked = false;
        self.buffer.clear();
        self.at = 0;
        if used > 0
            && let Some(file) = &self.file
        {
            vm.call_args(&file.read, &[Value::from(used)])?;
        }
        Ok(())
    }

    /// The next line, without its end; at least `least` bytes long.
    pub fn line(&mut self, vm: &Vm, least: usize) -> Result<&[u8]> {
        loop {
            let start = self.at;
            let limit = self.frame_end.unwrap_or(self.bytes().len());
            if let Some(length) = memchr::memchr(b'\n', &self.bytes()[start..limit]) {
                self.at = start + length + 1;
                if length < least {
                    return Err(truncated(vm));
                }
                return Ok(&self.bytes()[start..start + length]);
            }
            self.leave_frame(vm)?;
            let Some(readline) = self.file.as_ref().map(|file| file.readline.clone()) else {
                return Err(truncated(vm));
            };
            self.give_back(vm)?;
            let data = vm.call_args(&readline, &[])?;
            self.set_buffer(vm, &data)?;
            if self.buffer.last() != Some(&b'\n') {
                return Err(truncated(vm));
            }
        }
    }
}

#[cold]
fn truncated(vm: &Vm) -> Raised {
    unpickling_error(vm, "pickle data was truncated")
}
