//! The strings that the runtime itself looks up, interned once.

use crate::builtins::str::intern;
use crate::value::Value;
use std::sync::OnceLock;

macro_rules! interned_names {
    ($($name:ident)*) => {
        /// Interned names, one field each.
        #[allow(non_snake_case)]
        pub struct Names {
            $( pub $name: Value, )*
            /// `__lt__` … `__ge__`, by `CompareOp`.
            pub compare: [Value; 6],
            /// `utf-8`
            pub utf_8: Value,
        }
        impl Names {
            fn new() -> Names {
                Names {
                    $( $name: intern(stringify!($name)).into_value(), )*
                    compare: ["__lt__", "__le__", "__eq__", "__ne__", "__gt__", "__ge__"]
                        .map(|name| intern(name).into_value()),
                    utf_8: intern("utf-8").into_value(),
                }
            }
        }
    };
}

interned_names! {
    __abs__ __abstractmethods__ __add__ __aenter__ __aexit__ __aiter__ __all__ __and__ __anext__ __annotate__
    __annotate_func__ __annotations__ __annotations_cache__ __args__ __await__ __bases__ __bool__ __build_class__ __builtins__
    __bytes__ __call__ __cause__ __ceil__ __class__ __class_getitem__ __classcell__ __classdict__ __classdictcell__
    __complex__ __contains__ __context__ __del__ __delattr__ __delete__ __delitem__ __dict__ __dir__ __divmod__ __doc__
    __enter__ __eq__ __exit__ __file__ __firstlineno__ __float__ __floor__ __floordiv__ __format__ __fspath__ __ge__ __get__
    __getattr__ __getattribute__ __getitem__ __getnewargs__ __getnewargs_ex__ __getstate__ __gt__ __hash__ __iadd__
    __iand__ __ifloordiv__ __ilshift__ __imatmul__ __imod__ __import__ __imul__ __index__ __init__ __init_subclass__
    __instancecheck__ __int__ __invert__ __ior__ __ipow__ __irshift__ __isabstractmethod__ __isub__ __iter__
    __itruediv__ __ixor__ __le__ __len__ __length_hint__ __loader__ __lshift__ __lt__ __main__ __matmul__ __match_args__
    __missing__ __mod__ __module__ __mro__ __mro_entries__ __mul__ __name__ __ne__ __neg__ __new__ __next__ __notes__ __objclass__
    __or__ __orig_class__ __origin__ __package__ __parameters__ __path__ __pos__ __pow__ __prepare__ __qualname__ __radd__
    __rand__ __rdivmod__ __reduce__ __reduce_ex__ __repr__ __reversed__ __rfloordiv__ __rlshift__ __rmatmul__ __rmod__
    __rmul__ __ror__ __round__ __rpow__ __rrshift__ __rshift__ __rsub__ __rtruediv__ __rxor__ __self__ __set__
    __set_name__ __setattr__ __setitem__ __setstate__ __sizeof__ __slots__ __spec__ __static_attributes__ __str__ __sub__
    __subclasscheck__ __subclasshook__ __suppress_context__ __text_signature__ __traceback__ __truediv__ __trunc__
    __type_params__ __typing_subst__ __typing_prepare_subst__ __typing_is_unpacked_typevartuple__
    __typing_unpacked_tuple_args__ __weakref__ __wrapped__ __xor__ __dictoffset__ __copy__ __deepcopy__ __buffer__
    __release_buffer__ __conditional_annotations__ __cached__ __debug__
    _abc_impl args builtins close copy decode encode encoding end errors fget fileno filename flush get getvalue items key keys
    lineno metaclass mode msg name obj offset path print_file_and_line read readline replace reverse send sep sort
    stderr stdin stdout strict text throw update value values write last_exc last_traceback last_type last_value
    displayhook excepthook unraisablehook modules meta_path path_hooks path_importer_cache warn
}

static NAMES: OnceLock<Names> = OnceLock::new();

/// The interned names.
#[inline(always)]
pub fn names() -> &'static Names {
    NAMES.get_or_init(Names::new)
}
