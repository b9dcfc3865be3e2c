//! `termios`: modes of terminals.
//!
//! Speeds are numbers of bits per second and may be any: the kernel's `termios2` interface is used, as newer C
//! libraries do.

use taipan_object::builtins::bytes::{self, Bytes};
use taipan_object::builtins::int;
use taipan_object::builtins::list::List;
use taipan_object::builtins::tuple::Tuple;
use taipan_object::exceptions::EXCEPTION;
use taipan_object::native::MethodDef;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Raised, Result, Value, Vm};

use crate::arguments::{c_int, c_long, errno, fildes};

pub static MODULE: ModuleDef = ModuleDef {
    name: "termios",
    doc: "The POSIX calls for terminals.\n\nThe fd arguments are descriptors or objects with a fileno() method; termios.error is raised for what fails.",
    functions: FUNCTIONS,
    exec: |vm, module| {
        int_constants!(module;
            B0 = 0, B1000000 = 1000000, B110 = 110, B115200 = 115200, B1152000 = 1152000, B1200 = 1200, B134 = 134,
            B14400 = 14400, B150 = 150, B1500000 = 1500000, B1800 = 1800, B19200 = 19200, B200 = 200,
            B2000000 = 2000000, B230400 = 230400, B2400 = 2400, B2500000 = 2500000, B28800 = 28800, B300 = 300,
            B3000000 = 3000000, B3500000 = 3500000, B38400 = 38400, B4000000 = 4000000, B460800 = 460800,
            B4800 = 4800, B50 = 50, B500000 = 500000, B57600 = 57600, B576000 = 576000, B600 = 600, B7200 = 7200,
            B75 = 75, B76800 = 76800, B921600 = 921600, B9600 = 9600, BRKINT = 2, BS0 = 0, BS1 = 8192, BSDLY = 8192,
            CBAUD = 4111, CBAUDEX = 4096, CDSUSP = 25, CEOF = 4, CEOL = 0, CEOT = 4, CERASE = 127, CFLUSH = 15,
            CIBAUD = 269418496, CINTR = 3, CKILL = 21, CLNEXT = 22, CLOCAL = 2048, CQUIT = 28, CR0 = 0, CR1 = 512,
            CR2 = 1024, CR3 = 1536, CRDLY = 1536, CREAD = 128, CRPRNT = 18, CRTSCTS = 2147483648, CS5 = 0, CS6 = 16,
            CS7 = 32, CS8 = 48, CSIZE = 48, CSTART = 17, CSTOP = 19, CSTOPB = 64, CSUSP = 26, CWERASE = 23, ECHO = 8,
            ECHOCTL = 512, ECHOE = 16, ECHOK = 32, ECHOKE = 2048, ECHONL = 64, ECHOPRT = 1024, EXTA = 19200,
            EXTB = 38400, EXTPROC = 65536, FF0 = 0, FF1 = 32768, FFDLY = 32768, FIOASYNC = 21586, FIOCLEX = 21585,
            FIONBIO = 21537, FIONCLEX = 21584, FIONREAD = 21531, FLUSHO = 4096, HUPCL = 1024, IBSHIFT = 16,
            ICANON = 2, ICRNL = 256, IEXTEN = 32768, IGNBRK = 1, IGNCR = 128, IGNPAR = 4, IMAXBEL = 8192, INLCR = 64,
            INPCK = 16, IOCSIZE_MASK = 1073676288, IOCSIZE_SHIFT = 16, ISIG = 1, ISTRIP = 32, IUCLC = 512,
            IUTF8 = 16384, IXANY = 2048, IXOFF = 4096, IXON = 1024, NCCS = 32, NL0 = 0, NL1 = 256, NLDLY = 256,
            NOFLSH = 128, N_MOUSE = 2, N_PPP = 3, N_SLIP = 1, N_STRIP = 4, N_TTY = 0, OCRNL = 8, OFDEL = 128,
            OFILL = 64, OLCUC = 2, ONLCR = 4, ONLRET = 32, ONOCR = 16, OPOST = 1, PARENB = 256, PARMRK = 8,
            PARODD = 512, PENDIN = 16384, TAB0 = 0, TAB1 = 2048, TAB2 = 4096, TAB3 = 6144, TABDLY = 6144,
            TCFLSH = 21515, TCGETS = 21505, TCIFLUSH = 0, TCIOFF = 2, TCIOFLUSH = 2, TCION = 3, TCOFLUSH = 1,
            TCOOFF = 0, TCOON = 1, TCSADRAIN = 1, TCSAFLUSH = 2, TCSANOW = 0, TCSBRK = 21513, TCSBRKP = 21541,
            TCSETS = 21506, TCSETSF = 21508, TCSETSW = 21507, TCXONC = 21514, TIOCCONS = 21533, TIOCEXCL = 21516,
            TIOCGETD = 21540, TIOCGICOUNT = 21597, TIOCGLCKTRMIOS = 21590, TIOCGPGRP = 21519, TIOCGSERIAL = 21534,
            TIOCGSOFTCAR = 21529, TIOCGWINSZ = 21523, TIOCINQ = 21531, TIOCLINUX = 21532, TIOCMBIC = 21527,
            TIOCMBIS = 21526, TIOCMGET = 21525, TIOCMIWAIT = 21596, TIOCMSET = 21528, TIOCM_CAR = 64, TIOCM_CD = 64,
            TIOCM_CTS = 32, TIOCM_DSR = 256, TIOCM_DTR = 2, TIOCM_LE = 1, TIOCM_RI = 128, TIOCM_RNG = 128,
            TIOCM_RTS = 4, TIOCM_SR = 16, TIOCM_ST = 8, TIOCNOTTY = 21538, TIOCNXCL = 21517, TIOCOUTQ = 21521,
            TIOCPKT = 21536, TIOCPKT_DATA = 0, TIOCPKT_DOSTOP = 32, TIOCPKT_FLUSHREAD = 1, TIOCPKT_FLUSHWRITE = 2,
            TIOCPKT_NOSTOP = 16, TIOCPKT_START = 8, TIOCPKT_STOP = 4, TIOCSCTTY = 21518, TIOCSERCONFIG = 21587,
            TIOCSERGETLSR = 21593, TIOCSERGETMULTI = 21594, TIOCSERGSTRUCT = 21592, TIOCSERGWILD = 21588,
            TIOCSERSETMULTI = 21595, TIOCSERSWILD = 21589, TIOCSER_TEMT = 1, TIOCSETD = 21539,
            TIOCSLCKTRMIOS = 21591, TIOCSPGRP = 21520, TIOCSSERIAL = 21535, TIOCSSOFTCAR = 21530, TIOCSTI = 21522,
            TIOCSWINSZ = 21524, TOSTOP = 256, VDISCARD = 13, VEOF = 4, VEOL = 11, VEOL2 = 16, VERASE = 2, VINTR = 0,
            VKILL = 3, VLNEXT = 15, VMIN = 6, VQUIT = 1, VREPRINT = 12, VSTART = 8, VSTOP = 9, VSUSP = 10, VSWTC = 7,
            VSWTCH = 7, VT0 = 0, VT1 = 16384, VTDLY = 16384, VTIME = 5, VWERASE = 14, XCASE = 4, XTABS = 6144,
            _POSIX_VDISABLE = 0,
        );
        module.set("error", crate::exception_type::new(vm, "termios", "error", vec![EXCEPTION.value()], None)?);
        Ok(())
    },
};

/// What the kernel's `TCGETS2` and `TCSETS2` take.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Termios2 {
    iflag: u32,
    oflag: u32,
    cflag: u32,
    lflag: u32,
    line: u8,
    cc: [u8; KERNEL_NCCS],
    ispeed: u32,
    ospeed: u32,
}

const KERNEL_NCCS: usize = 19;
/// How many control characters Python sees.
const NCCS: usize = 32;
const TCGETS2: u32 = 0x802c_542a;
const TCSETS2: u32 = 0x402c_542b;
const CBAUD: u32 = libc::CBAUD;
const BOTHER: u32 = 0o010000;
const IBSHIFT: u32 = 16;

/// The kernel's codes of speeds, by position in the list; the second list begins at [`BOTHER`].
const SPEEDS: [u32; 16] = [0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400];
const MORE_SPEEDS: [u32; 15] = [
    57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000,
    3500000, 4000000,
];

fn speed_code(speed: u32) -> u32 {
    let find = |speeds: &[u32]| speeds.iter().position(|known| *known == speed).map(|at| at as u32);
    find(&SPEEDS).or_else(|| find(&MORE_SPEEDS).map(|at| BOTHER + 1 + at)).unwrap_or(BOTHER)
}

#[cold]
fn error(vm: &Vm, errno: i32) -> Raised {
    let class = match vm.import_from("termios", "error") {
        Ok(class) => class,
        Err(raised) => return raised,
    };
    let message = taipan_object::exceptions::os_error::strerror(errno);
    match vm.call_args(&class, &[Value::from(errno), Value::from(message)]) {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

/// Runs a system call once, without the GIL; failure is `termios.error`.
fn call(vm: &Vm, call: impl FnOnce() -> i32) -> Result<()> {
    let (status, code) = blocking(|| {
        let status = call();
        (status, errno())
    });
    if status == -1 { Err(error(vm, code)) } else { Ok(()) }
}

fn get(vm: &Vm, fd: i32) -> Result<Termios2> {
    let mut modes = Termios2::default();
    // SAFETY: the structure is what this request fills.
    call(vm, || unsafe { libc::ioctl(fd, TCGETS2 as _, &mut modes) })?;
    Ok(modes)
}

fn tcgetattr(vm: &Vm, fd: i32) -> Result {
    let modes = get(vm, fd)?;
    let raw = modes.lflag & libc::ICANON == 0;
    let mut characters = Vec::with_capacity(NCCS);
    for at in 0..NCCS {
        let byte = modes.cc.get(at).copied().unwrap_or(0);
        let number = raw && (at == libc::VMIN || at == libc::VTIME);
        characters.push(if number { Value::from(i32::from(byte)) } else { bytes::from_slice(vm, &[byte])? });
    }
    let numbers = [modes.iflag, modes.oflag, modes.cflag, modes.lflag, modes.ispeed, modes.ospeed];
    let mut items: Vec<Value> = numbers.into_iter().map(Value::from).collect();
    items.push(List::from_vec(characters).into_value());
    Ok(List::from_vec(items).into_value())
}

/// The control characters that an attribute list asks for.
fn control_characters(vm: &Vm, value: &Value) -> Result<[u8; NCCS]> {
    let Some(list) = value.downcast::<List>().filter(|list| list.len() == NCCS) else {
        return Err(vm.type_error(format!("tcsetattr: attributes[6] must be {NCCS} element list")));
    };
    let mut characters = [0; NCCS];
    for (at, item) in list.to_vec().iter().enumerate().take(NCCS) {
        characters[at] = match item.downcast::<Bytes>().map(Bytes::as_slice) {
            Some([byte]) => *byte,
            _ if int::is_int(item) => c_long(vm, item)? as u8,
            _ => {
                let message = "tcsetattr: elements of attributes must be bytes objects of length 1 or integers";
                return Err(vm.type_error(message));
            }
        };
    }
    Ok(characters)
}

fn tcsetattr(vm: &Vm, fd: i32, when: i32, attributes: &Value) -> Result<()> {
    let Some(list) = attributes.downcast::<List>().filter(|list| list.len() == 7) else {
        return Err(vm.type_error("tcsetattr, arg 3: must be 7 element list"));
    };
    let items = list.to_vec();
    let mut modes = get(vm, fd)?;
    let number = |at: usize| -> Result<u32> { Ok(c_long(vm, &items[at])? as u32) };
    modes.iflag = number(0)?;
    modes.oflag = number(1)?;
    modes.cflag = number(2)?;
    modes.lflag = number(3)?;
    modes.ispeed = number(4)?;
    modes.ospeed = number(5)?;
    modes.cc.copy_from_slice(&control_characters(vm, &items[6])?[..KERNEL_NCCS]);
    modes.cflag &= !(CBAUD | CBAUD << IBSHIFT);
    modes.cflag |= speed_code(modes.ospeed) | speed_code(modes.ispeed) << IBSHIFT;
    let request = match when {
        libc::TCSANOW => TCSETS2,
        libc::TCSADRAIN => TCSETS2 + 1,
        libc::TCSAFLUSH => TCSETS2 + 2,
        _ => return Err(error(vm, libc::EINVAL)),
    };
    // SAFETY: the structure is what this request reads.
    call(vm, || unsafe { libc::ioctl(fd, request as _, &modes) })
}

fn window_size(vm: &Vm, fd: i32) -> Result<libc::winsize> {
    // SAFETY: zeros are a valid winsize, which the request fills.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    call(vm, || unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, &mut size) })?;
    Ok(size)
}

fn tcsetwinsize(vm: &Vm, fd: i32, value: &Value) -> Result<()> {
    let items = if vm.is_sequence(value) { vm.collect(value)? } else { Vec::new() };
    let [rows, columns] = items.as_slice() else {
        return Err(vm.type_error("tcsetwinsize, arg 2: must be a two-item sequence"));
    };
    let (rows, columns) = (c_long(vm, rows)?, c_long(vm, columns)?);
    let (Ok(rows), Ok(columns)) = (u16::try_from(rows), u16::try_from(columns)) else {
        return Err(vm.overflow_error("winsize value(s) out of range."));
    };
    // The size in pixels stays as it is.
    let mut size = window_size(vm, fd)?;
    (size.ws_row, size.ws_col) = (rows, columns);
    // SAFETY: the structure is what this request reads.
    call(vm, || unsafe { libc::ioctl(fd, libc::TIOCSWINSZ, &size) })
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("tcgetattr($module, fd, /)", "The modes of a terminal: [iflag, oflag, cflag, lflag, ispeed, ospeed, cc].\n\ncc is a list of the control characters: bytes, but ints for VMIN and VTIME when these are defined.", |vm, _, args| {
            tcgetattr(vm, fildes(vm, &args[0])?)
        }),
        MethodDef::new("tcsetattr($module, fd, when, attributes, /)", "Set the modes of a terminal, at once (TCSANOW), after the output (TCSADRAIN), or also discarding input (TCSAFLUSH).", |vm, _, args| {
            let (fd, when) = (fildes(vm, &args[0])?, c_int(vm, &args[1])?);
            tcsetattr(vm, fd, when, &args[2]).map(Value::from)
        }),
        MethodDef::new("tcsendbreak($module, fd, duration, /)", "Send a break; with a duration of 0 it lasts 0.25 to 0.5 seconds.", |vm, _, args| {
            let (fd, duration) = (fildes(vm, &args[0])?, c_int(vm, &args[1])?);
            // SAFETY: takes numbers.
            call(vm, || unsafe { libc::tcsendbreak(fd, duration) }).map(Value::from)
        }),
        MethodDef::new("tcdrain($module, fd, /)", "Wait until all output has been sent.", |vm, _, args| {
            let fd = fildes(vm, &args[0])?;
            // SAFETY: takes a number.
            call(vm, || unsafe { libc::tcdrain(fd) }).map(Value::from)
        }),
        MethodDef::new("tcflush($module, fd, queue, /)", "Discard queued input (TCIFLUSH), output (TCOFLUSH) or both (TCIOFLUSH).", |vm, _, args| {
            let (fd, queue) = (fildes(vm, &args[0])?, c_int(vm, &args[1])?);
            // SAFETY: takes numbers.
            call(vm, || unsafe { libc::tcflush(fd, queue) }).map(Value::from)
        }),
        MethodDef::new("tcflow($module, fd, action, /)", "Suspend or resume output (TCOOFF, TCOON) or input (TCIOFF, TCION).", |vm, _, args| {
            let (fd, action) = (fildes(vm, &args[0])?, c_int(vm, &args[1])?);
            // SAFETY: takes numbers.
            call(vm, || unsafe { libc::tcflow(fd, action) }).map(Value::from)
        }),
        MethodDef::new("tcgetwinsize($module, fd, /)", "The size of a terminal's window: (rows, columns).", |vm, _, args| {
            let size = window_size(vm, fildes(vm, &args[0])?)?;
            Ok(Tuple::from_array([Value::from(i32::from(size.ws_row)), Value::from(i32::from(size.ws_col))]).into_value())
        }),
        MethodDef::new("tcsetwinsize($module, fd, winsize, /)", "Set the size of a terminal's window, (rows, columns).", |vm, _, args| {
            tcsetwinsize(vm, fildes(vm, &args[0])?, &args[1]).map(Value::from)
        }),
    ];
}
