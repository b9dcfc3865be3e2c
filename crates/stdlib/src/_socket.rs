//! `_socket`: sockets, addresses and the look-up of names.
//!
//! `socket.rs` has the socket type, `wait.rs` how operations block and time out, `transfer.rs`, `message.rs` and
//! `options.rs` its methods by subject; `address.rs` and `host.rs` convert addresses, `resolve.rs` and `names.rs` are
//! the module's functions.

mod address;
mod constants;
mod host;
mod message;
mod names;
mod options;
mod parse;
mod resolve;
pub(crate) mod socket;
pub(crate) mod transfer;
pub(crate) mod wait;

use taipan_object::exceptions::{OS_ERROR, TIMEOUT_ERROR};
use taipan_object::native::module::ModuleDef;
use taipan_object::{Raised, Value, Vm};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_socket",
    doc: "Sockets as the operating system has them; see the module socket.",
    functions: names::FUNCTIONS,
    exec: |vm, module| {
        module.add_functions(resolve::FUNCTIONS);
        constants::add(module);
        module.set("has_ipv6", Value::TRUE);
        module.set("error", OS_ERROR.value());
        module.set("timeout", TIMEOUT_ERROR.value());
        for name in ["herror", "gaierror"] {
            module.set(name, crate::exception_type::new(vm, "socket", name, vec![OS_ERROR.value()], None)?);
        }
        module.set("socket", socket::SOCKET.value());
        module.set("SocketType", socket::SOCKET.value());
        Ok(())
    },
};

/// `OSError(message)`.
#[cold]
fn os_error(vm: &Vm, message: &str) -> Raised {
    vm.raise_new(OS_ERROR.ty(), message.to_string())
}

/// An exception of the module's own class `name`, with a number and a text.
#[cold]
fn own_error(vm: &Vm, name: &str, number: i32, text: &str) -> Raised {
    let class = match vm.import_from("_socket", name) {
        Ok(class) => class,
        Err(raised) => return raised,
    };
    match vm.call_args(&class, &[Value::from(number), Value::from(text)]) {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}
