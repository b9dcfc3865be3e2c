//! `xml.etree.ElementTree.TreeBuilder`

use std::sync::{Mutex, PoisonError};

use taipan_object::builtins::dict::Dict;
use taipan_object::builtins::list::List;
use taipan_object::builtins::str::{Str, StrBuilder};
use taipan_object::builtins::tuple::Tuple;
use taipan_object::native::MethodDef;
use taipan_object::types::{TypeSpec, type_flags};
use taipan_object::{Ref, Result, Value, Vm, method_table};

use super::element::{ELEMENT, Element};
use crate::payload::{class_of, payload, signature};

/// What can be reported as it happens.
#[derive(Clone, Copy)]
pub enum Report {
    Start,
    End,
    StartNamespace,
    EndNamespace,
    Comment,
    Pi,
}

payload! {
    pub struct TreeBuilder(BuilderState): TREE_BUILDER {
        root: Option<Value>,
        /// The element that is open, `None` outside the root.
        current: Value,
        /// The element that was last opened or closed.
        last: Value,
        /// What text is the tail of, unless it is the text of `last`.
        last_for_tail: Option<Value>,
        stack: Vec<Value>,
        data: Vec<Value>,
        element_factory: Option<Value>,
        comment_factory: Option<Value>,
        pi_factory: Option<Value>,
        insert_comments: bool,
        insert_pis: bool,
        /// `append` of the queue of events.
        append_event: Option<Value>,
        /// The names of the events to report, by the order of `Report`.
        reports: Vec<Option<Value>>,
    }
}

pub static TREE_BUILDER: TypeSpec = TypeSpec::new::<TreeBuilder>("xml.etree.ElementTree.TreeBuilder")
    .flags(type_flags::BASETYPE)
    .slots(|s| {
        s.new = Some(|_, class, _, _| Ok(TreeBuilder::make(class_of(class), blank())));
        s.init = Some(init);
    })
    .methods(METHODS);

fn blank() -> BuilderState {
    BuilderState {
        root: None,
        current: Value::NONE,
        last: Value::NONE,
        last_for_tail: None,
        stack: Vec::new(),
        data: Vec::new(),
        element_factory: None,
        comment_factory: None,
        pi_factory: None,
        insert_comments: false,
        insert_pis: false,
        append_event: None,
        reports: vec![None; 6],
    }
}

/// What makes comments and processing instructions when a builder is not told.
static FACTORIES: Mutex<(Option<Value>, Option<Value>)> = Mutex::new((None, None));

fn factories() -> (Option<Value>, Option<Value>) {
    FACTORIES.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

pub fn set_factories(vm: &Vm, _: &Value, args: &[Value]) -> Result {
    for (value, what) in args.iter().zip(["Comment", "PI"]) {
        if !value.is_none() && value.ty().slots().call.is_none() {
            let got = value.ty().name();
            return Err(vm.type_error(format!("{what} factory must be callable, not {got}")));
        }
    }
    let given = |value: &Value| if value.is_none() { None } else { Some(value.clone()) };
    let new = (given(&args[0]), given(&args[1]));
    let old = std::mem::replace(&mut *FACTORIES.lock().unwrap_or_else(PoisonError::into_inner), new);
    let shown = |value: Option<Value>| value.unwrap_or(Value::NONE);
    Ok(Tuple::from_array([shown(old.0), shown(old.1)]).into_value())
}

signature!(
    INIT = "TreeBuilder(element_factory=None, *, comment_factory=None, pi_factory=None, insert_comments=False, \
            insert_pis=False)"
);

/// A builder with the usual settings.
pub fn create() -> Value {
    let (comment_factory, pi_factory) = factories();
    TreeBuilder::make(TREE_BUILDER.ty(), BuilderState { comment_factory, pi_factory, ..blank() })
}

fn init(vm: &Vm, this: &Value, args: &[Value], kwnames: Option<&Value>) -> Result<()> {
    let args = INIT.bind(vm, args, kwnames)?;
    let (insert_comments, insert_pis) = (vm.is_true(&args[3])?, vm.is_true(&args[4])?);
    let (comments, pis) = factories();
    let given = |value: &Value, default: Option<Value>| if value.is_none() { default } else { Some(value.clone()) };
    let element_factory = args[0].clone();
    let element_factory =
        if element_factory.is_none() || element_factory.is(&ELEMENT.value()) { None } else { Some(element_factory) };
    let (comment_factory, pi_factory) = (given(&args[1], comments), given(&args[2], pis));
    let old = TreeBuilder::of(this).with(|state| {
        state.insert_comments = insert_comments && comment_factory.is_some();
        state.insert_pis = insert_pis && pi_factory.is_some();
        (
            std::mem::replace(&mut state.element_factory, element_factory),
            std::mem::replace(&mut state.comment_factory, comment_factory),
            std::mem::replace(&mut state.pi_factory, pi_factory),
        )
    });
    drop(old);
    Ok(())
}

/// One text of several.
fn joined(vm: &Vm, mut data: Vec<Value>) -> Result {
    if data.len() == 1 {
        return Ok(data.pop().expect("just counted"));
    }
    if data.iter().all(|item| item.downcast::<Str>().is_some()) {
        let mut text = StrBuilder::new();
        data.iter().filter_map(|item| item.downcast::<Str>()).for_each(|item| text.push_text(item));
        return Ok(text.finish().into_value());
    }
    let empty = Value::from("");
    vm.call_method(&empty, "join", &[List::from_vec(data).into_value()])
}

impl TreeBuilder {
    /// Gives the text gathered to the element it belongs to.
    fn flush(&self, vm: &Vm) -> Result<()> {
        let gathered = self.with(|state| match state.data.is_empty() {
            true => None,
            false => Some((std::mem::take(&mut state.data), state.last_for_tail.clone(), state.last.clone())),
        });
        let Some((data, tail_of, last)) = gathered else { return Ok(()) };
        let (target, name) = match tail_of {
            Some(element) => (element, "tail"),
            None => (last, "text"),
        };
        if let Some(element) = target.downcast_exact::<Element>() {
            let old = if name == "tail" { element.tail() } else { element.text() };
            let mut all = data;
            if !old.is_none() {
                all.insert(0, old);
            }
            let text = joined(vm, all)?;
            match name {
                "tail" => element.set_tail(text),
                _ => element.set_text(text),
            }
            return Ok(());
        }
        let old = vm.get_attr_str(&target, name)?;
        let mut all = data;
        if !old.is_none() {
            all.insert(0, old);
        }
        let text = joined(vm, all)?;
        vm.set_attr_str(&target, name, &text)
    }

    fn report(&self, vm: &Vm, report: Report, node: Value) -> Result<()> {
        let wanted = self.with(|state| state.append_event.clone().zip(state.reports[report as usize].clone()));
        let Some((append, name)) = wanted else { return Ok(()) };
        vm.call_args(&append, &[Tuple::from_array([name, node]).into_value()])?;
        Ok(())
    }

    pub fn reports(&self, report: Report) -> bool {
        self.with(|state| state.append_event.is_some() && state.reports[report as usize].is_some())
    }

    pub fn start(&self, vm: &Vm, tag: Value, attributes: Option<Ref<Dict>>) -> Result {
        self.flush(vm)?;
        let factory = self.with(|state| state.element_factory.clone());
        let node = match factory {
            None => Element::create(tag, attributes),
            Some(factory) => {
                let attributes = attributes.unwrap_or_else(Dict::new).into_value();
                vm.call_args(&factory, &[tag, attributes])?
            }
        };
        let parent = self.with(|state| state.current.clone());
        if !parent.is_none() {
            add_child(vm, &parent, &node)?;
        } else if self.with(|state| state.root.is_some()) {
            let message = Value::from("multiple elements on top level");
            let exception = vm.call_args(&super::error_class(vm)?, &[message])?;
            return Err(vm.raise(exception));
        } else {
            self.with(|state| state.root = Some(node.clone()));
        }
        let old = self.with(|state| {
            state.stack.push(parent);
            (
                state.last_for_tail.take(),
                std::mem::replace(&mut state.current, node.clone()),
                std::mem::replace(&mut state.last, node.clone()),
            )
        });
        drop(old);
        self.report(vm, Report::Start, node.clone())?;
        Ok(node)
    }

    pub fn data(&self, data: Value) {
        let ignored = self.with(|state| match state.last.is_none() {
            // Text before the root element.
            true => Some(data),
            false => {
                state.data.push(data);
                None
            }
        });
        drop(ignored);
    }

    pub fn end(&self, vm: &Vm) -> Result {
        self.flush(vm)?;
        let popped = self.with(|state| {
            let parent = state.stack.pop()?;
            let closed = std::mem::replace(&mut state.current, parent);
            let old = (std::mem::replace(&mut state.last, closed.clone()), state.last_for_tail.replace(closed.clone()));
            Some((closed, old))
        });
        let Some((closed, old)) = popped else { return Err(vm.index_error("pop from empty stack")) };
        drop(old);
        self.report(vm, Report::End, closed.clone())?;
        Ok(closed)
    }

    /// Puts a comment or processing instruction into the tree.
    fn insert(&self, vm: &Vm, node: &Value) -> Result<()> {
        let parent = self.with(|state| state.current.clone());
        if !parent.is_none() {
            add_child(vm, &parent, node)?;
            drop(self.with(|state| state.last_for_tail.replace(node.clone())));
        }
        Ok(())
    }

    pub fn comment(&self, vm: &Vm, text: Value) -> Result {
        self.flush(vm)?;
        let (factory, insert) = self.with(|state| (state.comment_factory.clone(), state.insert_comments));
        let comment = match factory {
            Some(factory) => {
                let comment = vm.call_args(&factory, &[text])?;
                if insert {
                    self.insert(vm, &comment)?;
                }
                comment
            }
            None => text,
        };
        self.report(vm, Report::Comment, comment.clone())?;
        Ok(comment)
    }

    pub fn pi(&self, vm: &Vm, target: Value, text: Value) -> Result {
        self.flush(vm)?;
        let (factory, insert) = self.with(|state| (state.pi_factory.clone(), state.insert_pis));
        let pi = match factory {
            Some(factory) => {
                let pi = vm.call_args(&factory, &[target, text])?;
                if insert {
                    self.insert(vm, &pi)?;
                }
                pi
            }
            None => Tuple::from_array([target, text]).into_value(),
        };
        self.report(vm, Report::Pi, pi.clone())?;
        Ok(pi)
    }

    pub fn start_namespace(&self, vm: &Vm, prefix: Value, uri: Value) -> Result<()> {
        self.report(vm, Report::StartNamespace, Tuple::from_array([prefix, uri]).into_value())
    }
    pub fn end_namespace(&self, vm: &Vm) -> Result<()> {
        self.report(vm, Report::EndNamespace, Value::NONE)
    }

    /// The root, if there was one.
    pub fn root(&self) -> Value {
        self.with(|state| state.root.clone()).unwrap_or(Value::NONE)
    }

    /// Reports events from now on.
    pub fn set_events(&self, append: Value, reports: Vec<Option<Value>>) {
        let old =
            self.with(|state| (state.append_event.replace(append), std::mem::replace(&mut state.reports, reports)));
        drop(old);
    }
}

fn add_child(vm: &Vm, parent: &Value, child: &Value) -> Result<()> {
    match parent.downcast_exact::<Element>() {
        Some(element) => {
            super::element::expect_element(vm, child)?;
            element.push(child.clone());
        }
        None => {
            vm.call_method(parent, "append", std::slice::from_ref(child))?;
        }
    }
    Ok(())
}

method_table! { static METHODS = [
    MethodDef::new("data($self, data, /)", "", |_, this, args| {
        TreeBuilder::of(this).data(args[0].clone());
        Ok(Value::NONE)
    }),
    MethodDef::new("start($self, tag, attrs, /)", "", |vm, this, args| {
        let Some(attributes) = args[1].downcast_ref::<Dict>() else {
            return Err(vm.type_error(format!("start() argument 2 must be dict, not {}", args[1].ty().name())));
        };
        TreeBuilder::of(this).start(vm, args[0].clone(), Some(attributes))
    }),
    MethodDef::new("end($self, tag, /)", "", |vm, this, _| TreeBuilder::of(this).end(vm)),
    MethodDef::new("comment($self, text, /)", "", |vm, this, args| TreeBuilder::of(this).comment(vm, args[0].clone())),
    MethodDef::new("pi($self, target, text=None, /)", "", |vm, this, args| {
        TreeBuilder::of(this).pi(vm, args[0].clone(), args[1].clone())
    }),
    MethodDef::new("close($self, /)", "", |_, this, _| Ok(TreeBuilder::of(this).root())),
]; }
