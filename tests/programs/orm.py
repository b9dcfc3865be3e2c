"""A small object-relational mapper: a metaclass collects fields, queries are built by operators, rows live in memory."""

import itertools
import re
import weakref
from datetime import date


class ORMError(Exception):
    pass


class Expression:
    def __init__(self, sql, test, *params):
        self.sql, self.test, self.params = sql, test, params

    def __and__(self, other):
        return Expression(f"({self.sql} AND {other.sql})", lambda row: self.test(row) and other.test(row), *self.params, *other.params)

    def __or__(self, other):
        return Expression(f"({self.sql} OR {other.sql})", lambda row: self.test(row) or other.test(row), *self.params, *other.params)

    def __invert__(self):
        return Expression(f"NOT {self.sql}", lambda row: not self.test(row), *self.params)

    def __bool__(self):
        raise ORMError("use & and | instead of and and or")


class Field:
    counter = itertools.count()
    sql_type = "BLOB"
    python_type = object

    def __init__(self, *, null=False, default=None, unique=False, check=None):
        self.null, self.default, self.unique, self.check = null, default, unique, check
        self.order = next(Field.counter)

    def __set_name__(self, owner, name):
        self.model, self.name = owner, name

    def __get__(self, instance, owner):
        if instance is None:
            return self
        return instance.__dict__.get(self.name)

    def __set__(self, instance, value):
        value = self.convert(value)
        old = instance.__dict__.get(self.name)
        instance.__dict__[self.name] = value
        if old != value:
            instance._dirty.add(self.name)

    def convert(self, value):
        if value is None:
            if not self.null:
                raise ORMError(f"{self.model.__name__}.{self.name} cannot be null")
            return None
        if not isinstance(value, self.python_type) or isinstance(value, bool) and self.python_type is int:
            raise ORMError(f"{self.model.__name__}.{self.name} wants {self.python_type.__name__}, got {value!r}")
        if self.check and not self.check(value):
            raise ORMError(f"{self.model.__name__}.{self.name}: {value!r} is not allowed")
        return value

    def _compare(self, op, test, other):
        return Expression(f"{self.name} {op} ?", lambda row: test(getattr(row, self.name)), other)

    def __eq__(self, other):
        if other is None:
            return Expression(f"{self.name} IS NULL", lambda row: getattr(row, self.name) is None)
        return self._compare("=", lambda value: value == other, other)

    def __ne__(self, other):
        return ~(self == other)

    def __lt__(self, other):
        return self._compare("<", lambda value: value is not None and value < other, other)

    def __ge__(self, other):
        return self._compare(">=", lambda value: value is not None and value >= other, other)

    __hash__ = object.__hash__

    def like(self, pattern):
        regex = re.compile("".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern), re.IGNORECASE)
        return self._compare("LIKE", lambda value: bool(value and regex.fullmatch(value)), pattern)

    def declare(self):
        parts = [self.name, self.sql_type]
        if not self.null:
            parts.append("NOT NULL")
        if self.unique:
            parts.append("UNIQUE")
        if self.default is not None and not callable(self.default):
            parts.append(f"DEFAULT {self.default!r}")
        return " ".join(parts)


class Integer(Field):
    sql_type, python_type = "INTEGER", int


class Text(Field):
    sql_type, python_type = "TEXT", str


class Day(Field):
    sql_type, python_type = "DATE", date

    def convert(self, value):
        return super().convert(date.fromisoformat(value) if isinstance(value, str) else value)


class Reference(Field):
    def __init__(self, target, *, backref=None, **options):
        super().__init__(**options)
        self.target_name, self.backref = target, backref

    @property
    def python_type(self):
        return Model.registry[self.target_name]

    def declare(self):
        return f"{self.name}_id INTEGER REFERENCES {self.python_type.table}"


class Manager:
    def __get__(self, instance, owner):
        if instance is not None:
            raise AttributeError("the manager belongs to the class")
        return Query(owner)


class Query:
    def __init__(self, model, where=None, order=(), limit=None):
        self.model, self.condition, self.order, self.count_limit = model, where, order, limit

    def where(self, condition):
        return Query(self.model, condition if self.condition is None else self.condition & condition, self.order, self.count_limit)

    def order_by(self, *names):
        return Query(self.model, self.condition, (*self.order, *names), self.count_limit)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return Query(self.model, self.condition, self.order, key.stop)
        return list(self)[key]

    @property
    def sql(self):
        text = f"SELECT * FROM {self.model.table}"
        if self.condition is not None:
            text += f" WHERE {self.condition.sql}"
        if self.order:
            text += " ORDER BY " + ", ".join(f"{name[1:]} DESC" if name.startswith("-") else name for name in self.order)
        if self.count_limit is not None:
            text += f" LIMIT {self.count_limit}"
        return text

    def __iter__(self):
        rows = [row for row in self.model.rows.values() if self.condition is None or self.condition.test(row)]
        for name in reversed(self.order):
            rows.sort(key=lambda row: getattr(row, name.lstrip("-")), reverse=name.startswith("-"))
        return iter(rows[:self.count_limit])

    def __len__(self):
        return sum(1 for _ in self)

    def get(self):
        rows = list(self)
        if len(rows) != 1:
            raise self.model.DoesNotExist(f"{self.sql} {list(self.condition.params)} gave {len(rows)} rows")
        return rows[0]


class ModelMeta(type):
    @classmethod
    def __prepare__(meta, name, bases, **options):
        return {"__annotations__": {}, "id": None}

    def __new__(meta, name, bases, namespace, *, table=None, abstract=False):
        del namespace["id"]
        cls = super().__new__(meta, name, bases, namespace)
        inherited = {k: v for base in reversed(cls.__mro__[1:]) for k, v in getattr(base, "own_fields", {}).items()}
        cls.own_fields = {k: v for k, v in namespace.items() if isinstance(v, Field)}
        cls.fields = dict(sorted((inherited | cls.own_fields).items(), key=lambda pair: pair[1].order))
        cls.abstract = abstract
        if not abstract:
            cls.table = table or re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
            cls.rows, cls.ids = {}, itertools.count(1)
            cls.DoesNotExist = type("DoesNotExist", (ORMError,), {"__qualname__": f"{name}.DoesNotExist"})
            cls.registry[name] = cls
            for field in cls.own_fields.values():
                if isinstance(field, Reference) and field.backref:
                    target = cls.registry[field.target_name]
                    setattr(target, field.backref, property(lambda self, field=field, cls=cls: Query(cls, field == self)))
        return cls

    def __init__(cls, name, bases, namespace, **options):
        super().__init__(name, bases, namespace)

    def __call__(cls, *args, **kwargs):
        if cls.abstract:
            raise ORMError(f"{cls.__name__} is abstract")
        return super().__call__(*args, **kwargs)

    def __len__(cls):
        return len(cls.rows)

    def __bool__(cls):
        return True

    def __iter__(cls):
        return iter(cls.rows.values())

    @property
    def schema(cls):
        columns = ",\n  ".join(["id INTEGER PRIMARY KEY", *(field.declare() for field in cls.fields.values())])
        return f"CREATE TABLE {cls.table} (\n  {columns}\n);"


class Model(metaclass=ModelMeta, abstract=True):
    registry = {}
    objects = Manager()
    watchers = weakref.WeakSet()

    def __init__(self, **values):
        self.__dict__["_dirty"] = set()
        self.__dict__["id"] = None
        for name, field in self.fields.items():
            default = field.default() if callable(field.default) else field.default
            setattr(self, name, values.pop(name, default))
        if values:
            raise ORMError(f"{type(self).__name__} has no {', '.join(sorted(values))}")

    def __setattr__(self, name, value):
        if name not in self.fields:
            raise AttributeError(f"{type(self).__name__!r} has no field {name!r}")
        super().__setattr__(name, value)

    def save(self):
        cls = type(self)
        for name, field in self.fields.items():
            if field.unique and any(getattr(row, name) == getattr(self, name) for row in cls if row is not self):
                raise ORMError(f"{cls.table}.{name} must be unique: {getattr(self, name)!r}")
        changed = sorted(self._dirty)
        if self.id is None:
            self.__dict__["id"] = next(cls.ids)
            cls.rows[self.id] = self
            sql = f"INSERT INTO {cls.table} ({', '.join(changed)})"
        else:
            sql = f"UPDATE {cls.table} SET {', '.join(f'{name} = ?' for name in changed)} WHERE id = {self.id}" if changed else None
        self._dirty.clear()
        for watcher in self.watchers:
            watcher(sql)
        return self

    def delete(self):
        del type(self).rows[self.id]
        self.__dict__["id"] = None

    def __repr__(self):
        return f"<{type(self).__name__} {self.id}: " + ", ".join(f"{name}={getattr(self, name)!r}" for name in self.fields) + ">"


class Named(Model, abstract=True):
    name = Text(unique=True, check=str.istitle)

    def __repr__(self):
        return f"<{type(self).__name__} {self.name}>"


class Author(Named):
    born = Integer(null=True, check=lambda year: year < 2020)


class Book(Model, table="books"):
    title = Text()
    author = Reference("Author", backref="books")
    published = Day(default=lambda: date(2000, 1, 1))
    copies = Integer(default=1)


class SpecialEdition(Book):
    note = Text(null=True)


class Log:
    def __init__(self):
        self.lines = []

    def __call__(self, line):
        self.lines.append(line)


def main():
    for model in Model.registry.values():
        print(model.schema)
    log = Log()
    Model.watchers.add(log)
    ann, bob = Author(name="Ann Author", born=1970).save(), Author(name="Bob Writer").save()
    for number, (title, author, day) in enumerate([("First Steps", ann, "1999-12-31"), ("Second Wind", ann, "2010-06-01"),
                                                    ("Third Man", bob, "2010-06-02"), ("Fourth Wall", bob, None)]):
        values = {"published": day} if day else {}
        Book(title=title, author=author, copies=number, **values).save()
    SpecialEdition(title="Gold", author=ann, note="signed").save()

    query = Book.objects.where((Book.copies >= 1) & ~(Book.title == "Third Man")).order_by("-copies", "title")
    print(query.sql, query.condition.params, [book.title for book in query])
    print([book.title for book in ann.books], len(bob.books), len(Book), len(SpecialEdition), list(Author))
    print(Book.objects.where(Book.title.like("%w%")).order_by("published")[:2].sql, Book.objects.where(Book.title.like("f%"))[0])
    print([a.name for a in Author.objects.where((Author.born == None) | (Author.born < 1900))], Author.objects.where(Author.name == "Ann Author").get())

    book = Book.objects.where(Book.title == "Fourth Wall").get()
    book.copies, book.title = 30, "Fourth Wall"
    book.save()
    book.save()
    book.delete()
    print(book, len(Book))
    print(*log.lines, sep="\n")

    for attempt in [lambda: Author(name="lower"), lambda: Author(name="Ann Author").save(), lambda: Author(), lambda: Named(name="X"),
                    lambda: Book(title="T", author="Ann"), lambda: Book(title=3, author=ann), lambda: setattr(ann, "nmae", "X"),
                    lambda: Book(title="T", author=ann, pages=3), lambda: Book.objects.where(Book.copies == 77).get(),
                    lambda: Book(title="T", author=ann, published="soon"), lambda: ann.objects, lambda: bool(Book.copies == 1),
                    lambda: Author(name="Cy", born=True), lambda: Book.objects.where(Book.copies >= 1 and Book.copies < 3)]:
        try:
            print("ok", attempt())
        except (ORMError, AttributeError, ValueError) as error:
            print(f"{type(error).__qualname__}: {error}")
    print(Author.DoesNotExist.__mro__[1].__name__, issubclass(Author.DoesNotExist, Book.DoesNotExist), type(Author).__name__,
          isinstance(ann, Named), Author.fields.keys(), SpecialEdition.fields.keys())
    del log
    print(len(Model.watchers))


main()
