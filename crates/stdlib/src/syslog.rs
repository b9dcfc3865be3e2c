//! `syslog`: messages for the system logger.

use std::ffi::CString;
use std::sync::Mutex;

use taipan_object::builtins::list::List;
use taipan_object::builtins::str::Str;
use taipan_object::native::MethodDef;
use taipan_object::native::arguments::no_keywords;
use taipan_object::native::module::ModuleDef;
use taipan_object::vm::hooks::blocking;
use taipan_object::{Result, Value, Vm, codecs};

use crate::arguments::{bad_argument, c_int, c_long};

pub static MODULE: ModuleDef = ModuleDef {
    name: "syslog",
    doc: "",
    functions: FUNCTIONS,
    exec: |_, module| {
        int_constants!(module;
            LOG_ALERT = 1, LOG_AUTH = 32, LOG_AUTHPRIV = 80, LOG_CONS = 2, LOG_CRIT = 2, LOG_CRON = 72,
            LOG_DAEMON = 24, LOG_DEBUG = 7, LOG_EMERG = 0, LOG_ERR = 3, LOG_FTP = 88, LOG_INFO = 6, LOG_KERN = 0,
            LOG_LOCAL0 = 128, LOG_LOCAL1 = 136, LOG_LOCAL2 = 144, LOG_LOCAL3 = 152, LOG_LOCAL4 = 160,
            LOG_LOCAL5 = 168, LOG_LOCAL6 = 176, LOG_LOCAL7 = 184, LOG_LPR = 48, LOG_MAIL = 16, LOG_NDELAY = 8,
            LOG_NEWS = 56, LOG_NOTICE = 5, LOG_NOWAIT = 16, LOG_ODELAY = 4, LOG_PERROR = 32, LOG_PID = 1,
            LOG_SYSLOG = 40, LOG_USER = 8, LOG_UUCP = 64, LOG_WARNING = 4,
        );
        Ok(())
    },
};

/// The log that is open, and its name, which the C library keeps a pointer to.
static LOG: Mutex<Log> = Mutex::new(Log { open: false, _ident: None });

struct Log {
    open: bool,
    _ident: Option<CString>,
}

/// The name of the program, from `sys.argv[0]`.
fn program_name(vm: &Vm) -> Result<Option<Value>> {
    let argv = vm.import_from("sys", "argv")?;
    let first = argv.downcast::<List>().and_then(|list| list.get(0));
    let Some(first) = first else { return Ok(None) };
    let Some(text) = first.downcast::<Str>() else { return Ok(None) };
    let points = text.to_code_points();
    if points.is_empty() {
        return Ok(None);
    }
    let start = points.iter().rposition(|point| *point == u32::from(b'/')).map_or(0, |slash| slash + 1);
    Ok(Some(text.slice(start, points.len()).into_value()))
}

fn open(vm: &Vm, ident: Option<Value>, option: i64, facility: i64) -> Result<()> {
    let ident = match ident {
        Some(ident) => Some(ident),
        None => program_name(vm)?,
    };
    let text = match &ident {
        Some(ident) => {
            let mut utf8 = codecs::to_utf8(vm, ident)?.into_bytes();
            let length = utf8.iter().position(|byte| *byte == 0).unwrap_or(utf8.len());
            utf8.truncate(length);
            CString::new(utf8).ok()
        }
        None => None,
    };
    vm.audit("syslog.openlog", &[ident.unwrap_or(Value::NONE), Value::from(option), Value::from(facility)])?;
    let mut log = LOG.lock().expect("no panic while it is locked");
    // SAFETY: null or a C string, which lives in `LOG` until another takes its place.
    unsafe { libc::openlog(text.as_ref().map_or(std::ptr::null(), |t| t.as_ptr()), option as i32, facility as i32) };
    *log = Log { open: true, _ident: text };
    Ok(())
}

fn is_open() -> bool {
    LOG.lock().expect("no panic while it is locked").open
}

fn syslog(vm: &Vm, args: &[Value]) -> Result {
    let (priority, at) = match args.len() {
        1 => (i64::from(libc::LOG_INFO), 0),
        2 => (i64::from(c_int(vm, &args[0])?), 1),
        _ => return Err(vm.type_error("syslog.syslog requires 1 to 2 arguments")),
    };
    let message = &args[at];
    if message.downcast::<Str>().is_none() {
        return Err(bad_argument(vm, "syslog", &format!("argument {}", at + 1), "str", message));
    }
    let text = CString::new(codecs::to_utf8(vm, message)?).map_err(|_| vm.value_error("embedded null character"))?;
    vm.audit("syslog.syslog", &[Value::from(priority), message.clone()])?;
    if !is_open() {
        open(vm, None, 0, i64::from(libc::LOG_USER))?;
    }
    // SAFETY: C strings; the format has one string. The log's name is not freed meanwhile, as only `open` and
    // `closelog` do that, under the lock that is held here.
    blocking(|| {
        let log = LOG.lock().expect("no panic while it is locked");
        unsafe { libc::syslog(priority as i32, c"%s".as_ptr(), text.as_ptr()) };
        drop(log);
    });
    Ok(Value::NONE)
}

taipan_object::method_table! {
    static FUNCTIONS = [
        MethodDef::new("openlog($module, /, ident=<unrepresentable>, logoption=0,\n        facility=LOG_USER)", "Set the options of the messages that follow.", |vm, _, args| {
            if let Some(ident) = args[0].bound()
                && ident.downcast::<Str>().is_none()
            {
                return Err(bad_argument(vm, "openlog", "argument 'ident'", "str", ident));
            }
            let option = c_long(vm, &args[1])?;
            let facility = args[2].bound().map_or(Ok(i64::from(libc::LOG_USER)), |facility| c_long(vm, facility))?;
            open(vm, args[0].bound().cloned(), option, facility)?;
            Ok(Value::NONE)
        }),
        MethodDef::raw("syslog", "syslog([priority=LOG_INFO,] message)\nSend a message to the system logger.", |vm, _, args, kwnames| {
            no_keywords(vm, "syslog", kwnames)?;
            syslog(vm, args)
        }),
        MethodDef::new("closelog($module, /)", "Close the log and forget its options.", |vm, _, _| {
            vm.audit("syslog.closelog", &[])?;
            let mut log = LOG.lock().expect("no panic while it is locked");
            if log.open {
                // SAFETY: takes nothing.
                unsafe { libc::closelog() };
                *log = Log { open: false, _ident: None };
            }
            Ok(Value::NONE)
        }),
        MethodDef::new("setlogmask($module, maskpri, /)", "Set the mask of priorities that are logged; the former one.", |vm, _, args| {
            let mask = c_long(vm, &args[0])?;
            vm.audit("syslog.setlogmask", &[Value::from(mask)])?;
            // SAFETY: takes a number.
            Ok(Value::from(unsafe { libc::setlogmask(mask as i32) }))
        }),
        MethodDef::new("LOG_MASK($module, pri, /)", "The mask for one priority.", |vm, _, args| {
            Ok(Value::from(1i32.wrapping_shl(c_long(vm, &args[0])? as u32)))
        }),
        MethodDef::new("LOG_UPTO($module, pri, /)", "The mask for all priorities up to this one.", |vm, _, args| {
            let priority = c_long(vm, &args[0])? as u32;
            Ok(Value::from(1i32.wrapping_shl(priority.wrapping_add(1)).wrapping_sub(1)))
        }),
    ];
}
