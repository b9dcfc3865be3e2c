//! Assignment of `f_lineno` by a trace function: the frame goes on at another line.
//!
//! Counterpart of `frame_lineno_set_impl` in CPython's `Objects/frameobject.c`.

use taipan_object::builtins::int;
use taipan_object::{Result, Value, Vm};

use super::lines::{Lines, states};
use super::watching;
use crate::frame::{Frame, Interp, release};
use crate::frame_object::FrameObject;
use crate::verify::{Kind, NULL, State, Verified, verify};

/// Sets `f_lineno`.
pub fn set_lineno(vm: &Vm, object: &FrameObject, value: Option<&Value>) -> Result<()> {
    let Some(value) = value else {
        return Err(vm.attribute_error("attribute 'f_lineno' of 'frame' objects cannot be deleted"));
    };
    if !int::is_int(value) {
        return Err(vm.value_error("lineno must be an integer"));
    }
    let interp = Interp::of(vm);
    match interp.trace_event.get() {
        "line" => {}
        "call" => return Err(vm.value_error("can't jump from the 'call' trace event of a new frame")),
        "" => return Err(vm.value_error("f_lineno can only be set in a trace function")),
        _ => return Err(vm.value_error("can only jump from a 'line' trace event")),
    }
    let frame = object.frame_pointer();
    // SAFETY: the frame object is that of a live frame, or of a copy whose `pc` is no debug code's.
    let code = unsafe { (*frame).code() };
    // SAFETY: as above.
    if object.is_over() || !watching() || !code.is_debug_pc(unsafe { (*frame).pc }) {
        return Err(vm.value_error("f_lineno can only be set in a trace function"));
    }
    let Some(wanted) = int::to_i64(value).and_then(|line| i32::try_from(line).ok()) else {
        return Err(vm.overflow_error("Python int too large to convert to C int"));
    };
    if wanted < code.data.firstlineno {
        return Err(vm.value_error(format!("line {wanted} comes before the current code block")));
    }
    let lines = Lines::of(code);
    let Some(line) = lines.start_units().map(|(_, line)| line).filter(|line| *line >= wanted).min() else {
        return Err(vm.value_error(format!("line {wanted} comes after the current code block")));
    };
    let verified = match verify(&code.data) {
        Ok(verified) => verified,
        Err(error) => return Err(vm.system_error(error.to_string())),
    };
    // SAFETY: as above.
    let here = unsafe { (*frame).unit() };
    let (from_stack, from_blocks) = stack_at(&verified, here);
    let mut problem = "cannot find bytecode for specified line";
    let mut best: Option<(usize, u32)> = None;
    for (unit, _) in lines.start_units().filter(|(_, start)| *start == line) {
        if unit < lines.first_traceable {
            continue;
        }
        let (stack, blocks) = stack_at(&verified, unit);
        match compatible(&from_stack, &from_blocks, &stack, &blocks) {
            Ok(()) if best.is_none_or(|(depth, _)| stack.len() > depth) => best = Some((stack.len(), unit)),
            Ok(()) => {}
            Err(why) => problem = why,
        }
    }
    let Some((depth, unit)) = best else { return Err(vm.value_error(problem)) };
    let debug = code.debug_code(vm)?;
    let target = debug.lowered.pc_of_unit[unit as usize];
    if target == crate::lower::NO_PC {
        return Err(vm.value_error("cannot find bytecode for specified line"));
    }
    bind_locals(vm, frame)?;
    object.lineno.set(0);
    // SAFETY: the debug lowering keeps the stack in registers that own their values; those above the target's depth go.
    unsafe { drop_above(frame, depth, from_stack.len()) };
    // SAFETY: the boundary that reports the line goes on where the frame's `pc` then is.
    unsafe { (*frame).pc = debug.lowered.words.as_ptr().add(target as usize) };
    Ok(())
}

/// Code may rely on locals that a jump has left unbound: they become None, with a warning.
fn bind_locals(vm: &Vm, frame: *mut Frame) -> Result<()> {
    // SAFETY: a live frame has a register for each local; None is not counted.
    let locals = || unsafe { (0..(*frame).code().nlocalsplus()).map(|at| (*frame).regs.add(at)) };
    // SAFETY: as above.
    let unbound = locals().filter(|local| unsafe { **local == 0 }).count();
    if unbound == 0 {
        return Ok(());
    }
    let plural = if unbound == 1 { "" } else { "s" };
    let message = format!("assigning None to {unbound} unbound local{plural}");
    vm.warn(&taipan_object::exceptions::RUNTIME_WARNING.value(), &message, 1)?;
    for local in locals() {
        // SAFETY: as above; what is null owns nothing.
        unsafe {
            if *local == 0 {
                *local = Value::NONE.into_word();
            }
        }
    }
    Ok(())
}

unsafe fn drop_above(frame: *mut Frame, depth: usize, current: usize) {
    // SAFETY: by contract.
    unsafe {
        let stack = (*frame).regs.add((*frame).code().nlocalsplus());
        for at in (depth..current).rev() {
            release(std::mem::replace(&mut *stack.add(at), 0));
        }
    }
}

/// The kinds on the stack before the instruction at `unit`, and which slots belong to loops and handlers.
fn stack_at(verified: &Verified, unit: u32) -> (Vec<Kind>, Vec<Block>) {
    let Some(at) = verified.instrs.iter().position(|instr| instr.unit == unit || instr.start == unit) else {
        return (Vec::new(), Vec::new());
    };
    let states = states(verified);
    let Some(state) = &states[at] else { return (Vec::new(), Vec::new()) };
    (state.stack.clone(), blocks(verified, &states, at, state.stack.len()))
}

/// What a slot of the stack is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Block {
    Object,
    Iterator,
    Exception,
    Lasti,
}

/// The use of each slot at instruction `at`, found by following the code from its start.
fn blocks(verified: &Verified, states: &[Option<State>], at: usize, depth: usize) -> Vec<Block> {
    let mut known: Vec<Option<Vec<Block>>> = vec![None; verified.instrs.len()];
    let mut work = vec![(0usize, Vec::new())];
    while let Some((index, stack)) = work.pop() {
        if index >= verified.instrs.len() || known[index].is_some() {
            continue;
        }
        let length = states[index].as_ref().map_or(0, |state| state.stack.len());
        let mut stack: Vec<Block> = stack;
        stack.resize(length, Block::Object);
        known[index] = Some(stack.clone());
        let instr = verified.instrs[index];
        if verified.handler_of[index] != crate::verify::NO_HANDLER {
            let handler = verified.handlers[verified.handler_of[index] as usize];
            let mut inside = stack.clone();
            inside.resize(handler.depth as usize, Block::Object);
            if handler.push_lasti {
                inside.push(Block::Lasti);
            }
            inside.push(Block::Exception);
            work.push((handler.target as usize, inside));
        }
        let mut state = match &states[index] {
            Some(state) => state.clone(),
            None => continue,
        };
        let Ok(flow) = verified.step(&mut state, index) else { continue };
        let mut next = stack.clone();
        use taipan_bytecode::opcode::Opcode::*;
        match instr.op {
            GET_ITER | GET_AITER => {
                next.pop();
                next.push(Block::Iterator);
            }
            PUSH_EXC_INFO => {
                next.pop();
                next.extend([Block::Exception, Block::Exception]);
            }
            _ => {}
        }
        next.truncate(state.stack.len());
        let common = next.len();
        next.resize(state.stack.len().max(common), Block::Object);
        match flow {
            crate::verify::Flow::Next => work.push((index + 1, next)),
            crate::verify::Flow::Jump(target) => work.push((target as usize, next)),
            crate::verify::Flow::Branch(target) | crate::verify::Flow::BranchPopped(target) => {
                work.push((target as usize, next.clone()));
                work.push((index + 1, next));
            }
            _ => {}
        }
    }
    known[at].take().unwrap_or_else(|| vec![Block::Object; depth])
}

/// Whether one can go from one stack to the other by dropping values.
fn compatible(
    from: &[Kind],
    from_blocks: &[Block],
    to: &[Kind],
    to_blocks: &[Block],
) -> std::result::Result<(), &'static str> {
    let fits = to.len() <= from.len()
        && (0..to.len())
            .all(|at| from_blocks[at] == to_blocks[at] && (from[at] == to[at] || to[at] & NULL == from[at] & NULL));
    if fits {
        return Ok(());
    }
    Err(match to_blocks.last() {
        Some(Block::Exception) => "can't jump into an 'except' block as there's no exception",
        Some(Block::Lasti) => "can't jump into a re-raising block as there's no location",
        Some(Block::Iterator) => "can't jump into the body of a for loop",
        _ => "incompatible stacks",
    })
}
