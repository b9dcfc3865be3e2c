//! `_collections`: `deque`, `defaultdict`, `OrderedDict` and what `namedtuple` and `Counter` are made with.

pub mod count_elements;
pub mod defaultdict;
pub mod deque;
pub mod ordered_dict;
pub mod tuplegetter;

use taipan_object::native::module::ModuleDef;

pub static MODULE: ModuleDef = ModuleDef {
    name: "_collections",
    doc: "Containers of the collections module.\n\
        - deque:        fast at both of its ends\n\
        - defaultdict:  a dictionary that makes missing values",
    functions: count_elements::FUNCTIONS,
    exec: |_, module| {
        module.add_type(&deque::DEQUE);
        module.add_type(&defaultdict::DEFAULTDICT);
        module.add_type(&ordered_dict::ORDERED_DICT);
        module.add_type(&deque::iterator::DEQUE_ITERATOR);
        module.add_type(&deque::iterator::DEQUE_REVERSE_ITERATOR);
        module.add_type(&tuplegetter::TUPLEGETTER);
        Ok(())
    },
};
