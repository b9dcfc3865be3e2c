//! What runs in the child between its birth and the program: system calls only, as the memory may be the parent's,
//! and locks may be held by threads that are not there.

use super::{Plan, Preexec};
use crate::arguments::errno;

/// Why the child gave up.
enum Failure {
    /// Before the program was tried.
    NoExec,
    WorkingDirectory,
    Exec(i32),
    Preexec,
}

/// Prepares the process and executes the program; on failure reports it and ends.
///
/// # Safety
/// The calling process is a child made for this plan.
pub(super) unsafe fn execute(plan: &Plan, preexec: Option<&Preexec>) -> ! {
    // SAFETY: by contract.
    unsafe {
        let failure = match prepare(plan, preexec) {
            Ok(()) => run(plan),
            Err(failure) => failure,
        };
        report(plan.pipes.errpipe_write, failure);
        libc::_exit(255)
    }
}

fn check(status: i32) -> Result<i32, Failure> {
    if status < 0 { Err(Failure::NoExec) } else { Ok(status) }
}

/// Lets a descriptor survive the execution of a program.
fn set_inheritable(fd: i32) -> Result<(), Failure> {
    // SAFETY: these commands take and return ints.
    unsafe {
        let flags = check(libc::fcntl(fd, libc::F_GETFD))?;
        check(libc::fcntl(fd, libc::F_SETFD, flags & !libc::FD_CLOEXEC))?;
    }
    Ok(())
}

unsafe fn prepare(plan: &Plan, preexec: Option<&Preexec>) -> Result<(), Failure> {
    // SAFETY: system calls with valid arguments; the strings and arrays are the plan's.
    unsafe {
        for fd in &plan.kept_fds {
            // Some of them may not be open.
            if *fd != plan.pipes.errpipe_write {
                let _ = set_inheritable(*fd);
            }
        }
        standard_streams(plan)?;
        if let Some(directory) = &plan.working_directory
            && libc::chdir(directory.as_ptr()) != 0
        {
            return Err(Failure::WorkingDirectory);
        }
        if plan.umask >= 0 {
            libc::umask(plan.umask as libc::mode_t);
        }
        if plan.restore_signals {
            for signal in [libc::SIGPIPE, libc::SIGXFSZ] {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
        if let Some(mask) = &plan.signal_mask {
            reset_signals(mask);
        }
        if plan.new_session {
            libc::setsid();
        }
        if plan.process_group >= 0 {
            check(libc::setpgid(0, plan.process_group))?;
        }
        // Directly by system call: the C library's functions would change all threads, of which there is one.
        if let Some(groups) = &plan.extra_groups {
            check(libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) as i32)?;
        }
        if let Some(gid) = plan.gid {
            check(libc::syscall(libc::SYS_setregid, gid, gid) as i32)?;
        }
        if let Some(uid) = plan.uid {
            check(libc::syscall(libc::SYS_setreuid, uid, uid) as i32)?;
        }
    }
    if let Some(preexec) = preexec {
        preexec.call().map_err(|()| Failure::Preexec)?;
    }
    if plan.close_fds {
        close_all_but(&plan.kept_fds);
    }
    Ok(())
}

/// Makes the pipes' ends the standard streams.
unsafe fn standard_streams(plan: &Plan) -> Result<(), Failure> {
    let pipes = &plan.pipes;
    let (mut output, mut error) = (pipes.c2pwrite, pipes.errwrite);
    // SAFETY: takes numbers.
    unsafe {
        for fd in [pipes.p2cwrite, pipes.c2pread, pipes.errread, pipes.errpipe_read] {
            if fd != -1 {
                check(libc::close(fd))?;
            }
        }
        // Descriptors that are in each other's way move; the old ones go when the standard streams take their place.
        if output == 0 {
            output = check(libc::fcntl(output, libc::F_DUPFD_CLOEXEC, 3))?;
        }
        while error == 0 || error == 1 {
            error = check(libc::fcntl(error, libc::F_DUPFD_CLOEXEC, 3))?;
        }
        for (fd, standard) in [(pipes.p2cread, 0), (output, 1), (error, 2)] {
            if fd == standard {
                set_inheritable(fd)?;
            } else if fd != -1 {
                check(libc::dup2(fd, standard))?;
            }
        }
    }
    Ok(())
}

/// Gives signals with handlers their default action, and restores the mask.
unsafe fn reset_signals(mask: &libc::sigset_t) {
    // SAFETY: valid actions and sets.
    unsafe {
        for signal in 1..65 {
            let mut action: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(signal, std::ptr::null(), &mut action) != 0 {
                continue;
            }
            if action.sa_sigaction == libc::SIG_DFL || action.sa_sigaction == libc::SIG_IGN {
                continue;
            }
            libc::signal(signal, libc::SIG_DFL);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, mask, std::ptr::null_mut());
    }
}

/// Closes all descriptors from 3 on except the given ones, which ascend.
fn close_all_but(kept: &[i32]) {
    let mut from = 3;
    for fd in kept.iter().copied().filter(|fd| *fd >= 3) {
        if fd > from {
            close_range(from, fd - 1);
        }
        from = fd + 1;
    }
    close_range(from, i32::MAX);
}

fn close_range(first: i32, last: i32) {
    // SAFETY: takes numbers.
    unsafe {
        if libc::syscall(libc::SYS_close_range, first, last, 0) == 0 {
            return;
        }
        let limit = libc::sysconf(libc::_SC_OPEN_MAX);
        let limit = if limit < 0 { 256 } else { limit.min(i64::from(i32::MAX)) };
        for fd in first..=last.min(limit as i32) {
            libc::close(fd);
        }
    }
}

/// Tries the executables in turn.
unsafe fn run(plan: &Plan) -> Failure {
    let mut failure = 0;
    for executable in &plan.executables {
        if executable.is_null() {
            break;
        }
        // SAFETY: C strings, arrays that end with null.
        unsafe {
            match &plan.environment {
                Some(environment) => libc::execve(*executable, plan.argv.as_ptr().cast(), environment.as_ptr().cast()),
                None => libc::execv(*executable, plan.argv.as_ptr().cast()),
            };
        }
        let error = errno();
        if error != libc::ENOENT && error != libc::ENOTDIR && failure == 0 {
            failure = error;
        }
    }
    Failure::Exec(failure)
}

/// Writes what went wrong for the parent to read.
fn report(fd: i32, failure: Failure) {
    let error = errno();
    let write = |text: &[u8]| {
        // SAFETY: the text has this length. There is nobody to tell if it fails.
        unsafe { libc::write(fd, text.as_ptr().cast(), text.len()) };
    };
    let (error, message): (i32, &[u8]) = match failure {
        Failure::Preexec => {
            write(b"SubprocessError:0:Exception occurred in preexec_fn.");
            return;
        }
        Failure::NoExec => (error, b"noexec"),
        Failure::WorkingDirectory => (error, b"noexec:chdir"),
        Failure::Exec(0) => (error, b""),
        Failure::Exec(error) => (error, b""),
    };
    let mut digits = [0u8; 8];
    let (mut at, mut rest) = (digits.len(), error as u32);
    while rest > 0 && at > 0 {
        at -= 1;
        digits[at] = b"0123456789abcdef"[(rest % 16) as usize];
        rest /= 16;
    }
    write(b"OSError:");
    write(&digits[at..]);
    write(b":");
    write(message);
}
