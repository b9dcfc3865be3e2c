//! `mmap`: files and anonymous memory mapped into the address space.
//!
//! A mapping of a file that another process cuts is not guarded: reading beyond the end is a `SIGBUS`, as in CPython.
//! `methods.rs` has the methods, `new.rs` the constructor.

mod methods;
mod new;

use crate::payload::payload;
use taipan_object::buffer::Buffer;
use taipan_object::builtins::bytes;
use taipan_object::builtins::int;
use taipan_object::builtins::slice::Slice;
use taipan_object::exceptions::OS_ERROR;
use taipan_object::native::GetSetDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Result, Value, Vm};

pub static MODULE: ModuleDef = ModuleDef {
    name: "mmap",
    doc: "",
    functions: &[],
    exec: |_, module| {
        libc_constants!(module;
            MADV_DODUMP MADV_DOFORK MADV_DONTDUMP MADV_DONTFORK MADV_DONTNEED MADV_FREE MADV_HUGEPAGE MADV_HWPOISON
            MADV_MERGEABLE MADV_NOHUGEPAGE MADV_NORMAL MADV_RANDOM MADV_REMOVE MADV_SEQUENTIAL MADV_UNMERGEABLE
            MADV_WILLNEED MAP_ANON MAP_ANONYMOUS MAP_DENYWRITE MAP_EXECUTABLE MAP_NORESERVE MAP_POPULATE
            MAP_PRIVATE MAP_SHARED MAP_STACK PROT_EXEC PROT_READ PROT_WRITE
        );
        #[cfg(target_arch = "x86_64")]
        libc_constants!(module; MAP_32BIT);
        int_constants!(module; ACCESS_DEFAULT = 0, ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_COPY = 3);
        // SAFETY: the call only asks.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        module.set("PAGESIZE", Value::from(page));
        module.set("ALLOCATIONGRANULARITY", Value::from(page));
        module.set("error", OS_ERROR.value());
        module.add_type(&MMAP);
        Ok(())
    },
};

const ACCESS_DEFAULT: i32 = 0;
const ACCESS_READ: i32 = 1;
const ACCESS_WRITE: i32 = 2;
const ACCESS_COPY: i32 = 3;

payload! {
    /// `mmap.mmap`: `address` is 0 once it is closed.
    pub struct Mmap(MmapState): MMAP {
        address: usize,
        size: usize,
        position: usize,
        offset: i64,
        exports: usize,
        fd: i32,
        track_fd: bool,
        flags: i32,
        access: i32,
    }
}

impl Drop for MmapState {
    fn drop(&mut self) {
        // SAFETY: the mapping and the descriptor are this object's own; nothing refers to them any more.
        unsafe {
            if self.fd >= 0 {
                libc::close(self.fd);
            }
            if self.address != 0 {
                libc::munmap(self.address as *mut libc::c_void, self.size);
            }
        }
    }
}

pub static MMAP: TypeSpec = TypeSpec::new::<Mmap>("mmap.mmap")
    .doc(
        "mmap(fileno, length[, flags[, prot[, access[, offset[, trackfd]]]]])\n\nMaps length bytes of a file, by its \
         descriptor; of all that follow the offset if length is 0. With -1 as\nfileno, the memory belongs to no file.",
    )
    .flags(type_flags::BASETYPE | type_flags::HAS_WEAKREF)
    .slots(|s| {
        s.new = Some(new::new);
        s.repr = Some(repr);
        s.length = Some(|vm, this| Mmap::of(this).open(vm).map(|view| view.len));
        s.item = Some(|vm, this, index| {
            let view = Mmap::of(this).open(vm)?;
            match usize::try_from(index).ok().filter(|at| *at < view.len) {
                Some(at) => bytes::from_slice(vm, &view.as_slice()[at..at + 1]),
                None => Err(vm.index_error("mmap index out of range")),
            }
        });
        s.subscript = Some(subscript);
        s.ass_subscript = Some(assign);
        s.buffer = Some(|vm, this, _| {
            let own = Mmap::of(this);
            let view = own.open(vm)?;
            let readonly = own.with(|state| {
                state.exports += 1;
                state.access == ACCESS_READ
            });
            Ok(Buffer::bytes(this, view.start, view.len, readonly, Some(release)))
        });
    })
    .methods(methods::METHODS)
    .getset(&[GetSetDef::new("closed", "", |_, this| {
        Ok(Value::bool(Mmap::of(this).with(|state| state.address == 0)))
    })]);

fn release(owner: &Value) {
    Mmap::of(owner).with(|state| state.exports -= 1);
}

/// The memory of an open mapping. It stays while no Python code runs.
#[derive(Clone, Copy)]
struct View {
    start: *mut u8,
    len: usize,
}

impl View {
    fn as_slice(&self) -> &[u8] {
        // SAFETY: `Mmap::open` made it of a mapping of this size, and users drop it before Python code runs.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
    #[allow(clippy::mut_from_ref)]
    fn as_mut_slice(&self) -> &mut [u8] {
        // SAFETY: as above; writability is checked by `Mmap::writable`.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

impl Mmap {
    /// The memory; `ValueError` once it is closed.
    fn open(&self, vm: &Vm) -> Result<View> {
        let (address, len) = self.with(|state| (state.address, state.size));
        if address == 0 {
            return Err(vm.value_error("mmap closed or invalid"));
        }
        Ok(View { start: address as *mut u8, len })
    }

    /// The memory, which may be written to.
    fn writable(&self, vm: &Vm) -> Result<View> {
        let view = self.open(vm)?;
        if self.with(|state| state.access == ACCESS_READ) {
            return Err(vm.type_error("mmap can't modify a readonly memory map."));
        }
        Ok(view)
    }
}

fn repr(_: &Vm, this: &Value) -> Result {
    let class = this.ty().full_name();
    Ok(Value::from(Mmap::of(this).with(|state| {
        if state.address == 0 {
            return format!("<{class} closed=True>");
        }
        let access = match state.access {
            ACCESS_READ => "ACCESS_READ",
            ACCESS_WRITE => "ACCESS_WRITE",
            ACCESS_COPY => "ACCESS_COPY",
            _ => "ACCESS_DEFAULT",
        };
        let (length, position, offset) = (state.size, state.position, state.offset);
        format!("<{class} closed=False, access={access}, length={length}, pos={position}, offset={offset}>")
    })))
}

/// The place that an index names, which may count from the end.
fn index(vm: &Vm, own: &Mmap, key: &Value) -> Result<usize> {
    let index = vm.index_or_index_error(key)?;
    let length = own.open(vm)?.len;
    let at = if index < 0 { index + length as i64 } else { index };
    match usize::try_from(at).ok().filter(|at| *at < length) {
        Some(at) => Ok(at),
        None => Err(vm.index_error("mmap index out of range")),
    }
}

fn subscript(vm: &Vm, this: &Value, key: &Value) -> Result {
    let own = Mmap::of(this);
    own.open(vm)?;
    if let Some(slice) = key.downcast::<Slice>() {
        let indices = slice.fit(vm, || own.with(|state| state.size))?;
        let view = own.open(vm)?;
        let data = view.as_slice();
        if indices.step == 1 {
            let start = (indices.start as usize).min(data.len());
            return bytes::from_slice(vm, &data[start..(start + indices.count).min(data.len())]);
        }
        let picked: Vec<u8> = indices.positions().filter_map(|at| data.get(at).copied()).collect();
        return bytes::from_slice(vm, &picked);
    }
    if key.ty().slots().index.is_none() {
        return Err(vm.type_error("mmap indices must be integers"));
    }
    let at = index(vm, own, key)?;
    Ok(Value::from(own.open(vm)?.as_slice()[at] as i64))
}

fn assign(vm: &Vm, this: &Value, key: &Value, value: Option<&Value>) -> Result<()> {
    let own = Mmap::of(this);
    own.writable(vm)?;
    if let Some(slice) = key.downcast::<Slice>() {
        let indices = slice.fit(vm, || own.with(|state| state.size))?;
        let Some(value) = value else {
            return Err(vm.type_error("mmap object doesn't support slice deletion"));
        };
        let data = vm.bytes_like(value)?;
        if data.len() != indices.count {
            return Err(vm.index_error("mmap slice assignment is wrong size"));
        }
        let view = own.writable(vm)?;
        let target = view.as_mut_slice();
        for (at, byte) in indices.positions().zip(data.iter()) {
            // The value may have cut the mapping while it gave its bytes.
            match target.get_mut(at) {
                Some(slot) => *slot = *byte,
                None => return Err(vm.index_error("mmap index out of range")),
            }
        }
        return Ok(());
    }
    if key.ty().slots().index.is_none() {
        return Err(vm.type_error("mmap indices must be integer"));
    }
    let at = index(vm, own, key)?;
    let Some(value) = value else { return Err(vm.type_error("mmap doesn't support item deletion")) };
    if value.ty().slots().index.is_none() {
        return Err(vm.type_error("mmap item value must be an int"));
    }
    let number = vm.index(value)?;
    let Some(byte) = int::to_i64(&number).and_then(|number| u8::try_from(number).ok()) else {
        return Err(vm.value_error("mmap item value must be in range(0, 256)"));
    };
    match own.writable(vm)?.as_mut_slice().get_mut(at) {
        Some(slot) => *slot = byte,
        None => return Err(vm.index_error("mmap index out of range")),
    }
    Ok(())
}
