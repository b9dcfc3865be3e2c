//! `import` and `from ... import`.

use taipan_bytecode::oparg::Intrinsic1;

use super::*;

impl<'a> Compiler<'a, '_> {
    pub(super) fn import(&mut self, location: Location, names: &'a [Alias<'a>]) -> Result {
        for alias in names {
            self.load_const(location, Constant::int(0));
            self.load_none(location);
            self.addop_name(location, Opcode::IMPORT_NAME, alias.name);
            match alias.asname {
                Some(asname) => self.import_as(location, alias.name, asname)?,
                None => self.store_name(location, alias.name.split('.').next().unwrap_or(alias.name))?,
            }
        }
        Ok(())
    }

    /// `import a.b.c as d`: IMPORT_NAME has pushed `a`.
    fn import_as(&mut self, location: Location, name: &'a str, asname: &'a str) -> Result {
        let mut submodules = name.split('.').skip(1).peekable();
        if submodules.peek().is_none() {
            return self.store_name(location, asname);
        }
        while let Some(submodule) = submodules.next() {
            self.addop_name(location, Opcode::IMPORT_FROM, submodule);
            if submodules.peek().is_some() {
                self.addop_i(location, Opcode::SWAP, 2);
                self.addop(location, Opcode::POP_TOP);
            }
        }
        self.store_name(location, asname)?;
        self.addop(location, Opcode::POP_TOP);
        Ok(())
    }

    pub(super) fn import_from(
        &mut self,
        location: Location,
        module: Option<&'a str>,
        names: &'a [Alias<'a>],
        level: i32,
    ) -> Result {
        self.load_const(location, Constant::int(level.into()));
        let from_list = names.iter().map(|alias| Constant::Str(self.text(alias.name))).collect();
        self.load_const(location, Constant::tuple(from_list));
        self.addop_name(location, Opcode::IMPORT_NAME, module.unwrap_or(""));
        if let [Alias { name: "*", .. }, ..] = names {
            self.addop_i(location, Opcode::CALL_INTRINSIC_1, Intrinsic1::ImportStar as usize);
            self.addop(Location::NONE, Opcode::POP_TOP);
            return Ok(());
        }
        for alias in names {
            self.addop_name(location, Opcode::IMPORT_FROM, alias.name);
            self.store_name(location, alias.asname.unwrap_or(alias.name))?;
        }
        self.addop(location, Opcode::POP_TOP);
        Ok(())
    }
}
