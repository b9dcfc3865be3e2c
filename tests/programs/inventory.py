"""An inventory of dataclasses and enums: validation, replacement, ordering, serialisation, reports."""

import dataclasses
import enum
import json
import pickle
import typing
from collections import ChainMap, Counter, defaultdict, namedtuple
from copy import copy, deepcopy
from dataclasses import KW_ONLY, InitVar, asdict, astuple, dataclass, field, fields, replace
from datetime import date, timedelta
from functools import singledispatch
from types import MappingProxyType
from typing import ClassVar


class Unit(enum.Enum):
    PIECE = "pc"
    KILO = "kg"
    LITRE = "l"

    def __str__(self):
        return self.value

    @classmethod
    def _missing_(cls, value):
        for member in cls:
            if isinstance(value, str) and value.lower() == member.name.lower():
                return member
        return None


class Priority(enum.IntEnum):
    LOW = 1
    NORMAL = 5
    HIGH = 9
    DEFAULT = NORMAL


class Tag(enum.Flag, boundary=enum.STRICT):
    FRAGILE = enum.auto()
    COLD = enum.auto()
    FLAMMABLE = enum.auto()
    SPECIAL = FRAGILE | COLD


@enum.unique
class Shelf(enum.Enum):
    A1 = (0, 0)
    A2 = (0, 1)
    B1 = (1, 0)

    def __init__(self, row, place):
        self.row, self.place = row, place

    def distance(self, other):
        return abs(self.row - other.row) * 10 + abs(self.place - other.place)

    @enum.property
    def label(self):
        return f"{self.name}@{self.row}/{self.place}"


@dataclass(frozen=True, order=True, slots=True)
class Sku:
    group: str
    number: int

    def __post_init__(self):
        if not self.group.isupper():
            raise ValueError(f"bad group {self.group!r}")

    @classmethod
    def parse(cls, text):
        group, _, number = text.partition("-")
        return cls(group, int(number))

    def __str__(self):
        return f"{self.group}-{self.number:03}"


@dataclass
class Item:
    count: ClassVar[int] = 0
    sku: Sku
    name: str
    unit: Unit = Unit.PIECE
    _: KW_ONLY
    stock: float = 0
    price: float = field(default=1.0, repr=False, metadata={"currency": "EUR"})
    tags: Tag = Tag(0)
    history: list = field(default_factory=list, compare=False, repr=False)
    opening: InitVar[date | None] = None

    def __post_init__(self, opening):
        Item.count += 1
        if opening is not None:
            self.record(opening, self.stock)

    def record(self, day, amount):
        self.history.append((day, amount))

    @property
    def value(self):
        return round(self.stock * self.price, 2)


@dataclass(order=True)
class Order:
    sort_key: tuple = field(init=False, repr=False)
    priority: Priority
    day: date
    lines: dict[Sku, float] = field(default_factory=dict, compare=False)

    def __post_init__(self):
        self.sort_key = (-self.priority, self.day)


@dataclass
class Perishable(Item):
    shelf_life: int = field(default=30, kw_only=True)

    def expires(self):
        return self.history[0][0] + timedelta(days=self.shelf_life)


Shortage = namedtuple("Shortage", "sku wanted available", defaults=[0])


@singledispatch
def encode(value):
    raise TypeError(f"cannot encode {type(value).__name__}")


@encode.register(enum.Enum)
def _(value):
    return f"{type(value).__name__}.{value.name}"


@encode.register
def _(value: Sku):
    return str(value)


@encode.register
def _(value: date):
    return value.isoformat()


class Inventory:
    def __init__(self, items):
        self.items = {item.sku: item for item in items}
        self.frozen = MappingProxyType(self.items)

    def ship(self, order):
        shortages = [Shortage(sku, wanted, self.items[sku].stock if sku in self.items else 0)
                     for sku, wanted in order.lines.items()
                     if sku not in self.items or self.items[sku].stock < wanted]
        if shortages:
            return shortages
        for sku, wanted in order.lines.items():
            self.items[sku] = replace(self.items[sku], stock=self.items[sku].stock - wanted, opening=None)
            self.items[sku].record(order.day, -wanted)
        return []

    def total(self):
        return round(sum(item.value for item in self.items.values()), 2)


def main():
    start = date(2024, 2, 27)
    items = [
        Item(Sku("TOOL", 1), "hammer", stock=12, price=9.99),
        Item(Sku.parse("TOOL-2"), "saw", stock=3, price=14.5, opening=start),
        Item(Sku("OIL", 7), "olive oil", Unit.LITRE, stock=40.5, price=7.25, tags=Tag.FRAGILE | Tag.FLAMMABLE),
        Perishable(Sku("FOOD", 3), "cheese", Unit("kilo"), stock=8, price=11, tags=Tag.SPECIAL, opening=start, shelf_life=3),
    ]
    for item in items:
        print(item, "=>", item.value)
    print(items[3].expires(), items[3].expires() - start, Item.count)

    inventory = Inventory(items)
    orders = [
        Order(Priority.DEFAULT, start, {Sku("TOOL", 1): 2}),
        Order(Priority.HIGH, start + timedelta(weeks=1), {Sku("OIL", 7): 0.5, Sku("TOOL", 2): 3}),
        Order(Priority.LOW, start, {Sku("TOOL", 2): 1, Sku("TOY", 9): 1}),
        Order(Priority.HIGH, start, {Sku("FOOD", 3): 1.25}),
    ]
    for order in sorted(orders):
        shortages = inventory.ship(order)
        print(order.priority, order.priority.name, order.day, *shortages or ["shipped"])
    print(inventory.total(), {str(sku): item.stock for sku, item in sorted(inventory.items.items())})

    document = json.dumps([{f.name: getattr(item, f.name) for f in fields(item) if f.compare} for item in items],
                          default=encode, indent=1)
    print(document[:180].replace("\n", ""))
    print(asdict(items[1]))
    print(astuple(orders[0]))
    again = pickle.loads(pickle.dumps(items))
    print(again == items, again[0] is items[0], again[3].tags is items[3].tags, copy(items[0]) == items[0])
    deep = deepcopy(orders[1])
    deep.lines.clear()
    print(len(orders[1].lines), deep == orders[1], orders[0] < orders[1])

    for attempt in [
        lambda: Sku("tool", 1), lambda: setattr(items[0].sku, "number", 2), lambda: setattr(items[0].sku, "extra", 2),
        lambda: Item("x"), lambda: Item(Sku("A", 1), "x", Unit.KILO, 5), lambda: Unit("furlong"), lambda: Tag(64),
        lambda: Shelf.A1 < Shelf.A2, lambda: inventory.frozen.clear(), lambda: encode(1j), lambda: Unit.PIECE.foo,
        lambda: setattr(Unit, "PIECE", 1), lambda: Priority("LOW"), lambda: enum.unique(enum.Enum("E", {"a": 1, "b": 1})),
    ]:
        try:
            print("ok", attempt())
        except Exception as error:
            print(f"{type(error).__name__}: {error}")

    print(list(Unit), Unit["KILO"], Unit("PIECE"), Priority.DEFAULT is Priority.NORMAL, Priority.__members__.keys())
    print(Tag.SPECIAL, repr(Tag.SPECIAL), list(Tag.SPECIAL), Tag.COLD in Tag.SPECIAL, ~Tag.COLD, Tag.SPECIAL ^ Tag.COLD, len(Tag))
    print([shelf.label for shelf in Shelf], Shelf.A1.distance(Shelf.B1), Shelf((0, 1)), Priority.HIGH + 1, Priority.HIGH > 5)
    print(dataclasses.is_dataclass(Item), [f.name for f in fields(Perishable)], Item.__match_args__, Sku.__slots__)
    print(typing.get_type_hints(Order)["lines"], Item.__dataclass_fields__["price"].metadata, hash(Sku("A", 1)) == hash(Sku("A", 1)))
    Point = dataclasses.make_dataclass("Point", [("x", int), ("y", int, field(default=0))], frozen=True,
                                       namespace={"norm": lambda self: (self.x ** 2 + self.y ** 2) ** 0.5})
    print(Point(3, 4).norm(), Point(3), replace(Point(1, 2), y=5))
    settings = ChainMap({"low": 1}, {"low": 5, "high": 50})
    by_unit = defaultdict(Counter)
    for item in items:
        by_unit[item.unit][item.name] += int(item.stock)
    print(settings["low"], settings["high"], dict(settings), {str(unit): dict(counter) for unit, counter in by_unit.items()})
    match items[3]:
        case Perishable(sku=Sku(group, number), tags=Tag.SPECIAL, shelf_life=days) if days < 5:
            print("urgent", group, number, days)


main()
