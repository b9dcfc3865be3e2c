"""A bank: descriptors that validate, properties, class registries, operators, context managers and audit logs."""

import contextlib
import functools
import itertools
from abc import ABC, abstractmethod
from collections import Counter, defaultdict, deque
from decimal import ROUND_HALF_EVEN, Decimal, localcontext


class BankError(Exception):
    """What customers can do wrong."""


class InsufficientFunds(BankError):
    def __init__(self, account, wanted):
        super().__init__(f"{account.number} has {account.balance}, {wanted} wanted")
        self.account, self.wanted = account, wanted

    @property
    def shortfall(self):
        return self.wanted - self.account.balance


@functools.total_ordering
class Money:
    __slots__ = ("cents", "currency")

    def __init__(self, amount, currency="EUR"):
        if isinstance(amount, float):
            raise TypeError("money is never a float")
        with localcontext() as context:
            context.rounding = ROUND_HALF_EVEN
            self.cents = int((Decimal(amount) * 100).to_integral_value())
        self.currency = currency

    @classmethod
    def of_cents(cls, cents, currency):
        money = object.__new__(cls)
        money.cents, money.currency = cents, currency
        return money

    def _same(self, other):
        if not isinstance(other, Money):
            return NotImplemented
        if self.currency != other.currency:
            raise BankError(f"cannot mix {self.currency} and {other.currency}")
        return other

    def __add__(self, other):
        other = self._same(other)
        return other if other is NotImplemented else Money.of_cents(self.cents + other.cents, self.currency)

    def __radd__(self, other):
        return self if other == 0 else NotImplemented

    def __sub__(self, other):
        return self + -other

    def __neg__(self):
        return Money.of_cents(-self.cents, self.currency)

    def __mul__(self, factor):
        if not isinstance(factor, (int, Decimal)):
            return NotImplemented
        return Money.of_cents(int((self.cents * Decimal(factor)).to_integral_value(ROUND_HALF_EVEN)), self.currency)

    __rmul__ = __mul__

    def __eq__(self, other):
        return isinstance(other, Money) and (self.cents, self.currency) == (other.cents, other.currency)

    def __lt__(self, other):
        other = self._same(other)
        return other if other is NotImplemented else self.cents < other.cents

    def __hash__(self):
        return hash((self.cents, self.currency))

    def __bool__(self):
        return self.cents != 0

    def __format__(self, spec):
        return format(str(self), spec)

    def __str__(self):
        sign, cents = "-" * (self.cents < 0), abs(self.cents)
        return f"{sign}{cents // 100:,}.{cents % 100:02} {self.currency}"

    def __repr__(self):
        return f"Money({str(Decimal(self.cents) / 100)!r}, {self.currency!r})"


class Validated(ABC):
    def __set_name__(self, owner, name):
        self.public, self.private = name, "_" + name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return getattr(instance, self.private)

    def __set__(self, instance, value):
        self.validate(value)
        setattr(instance, self.private, value)

    @abstractmethod
    def validate(self, value): ...


class Text(Validated):
    def __init__(self, *, at_least=1, at_most=40):
        self.at_least, self.at_most = at_least, at_most

    def validate(self, value):
        if not isinstance(value, str):
            raise TypeError(f"{self.public} must be text, not {type(value).__name__}")
        if not self.at_least <= len(value) <= self.at_most:
            raise ValueError(f"{self.public} must have {self.at_least} to {self.at_most} characters")


class Rate(Validated):
    def validate(self, value):
        if not Decimal(0) <= value < Decimal(1):
            raise ValueError(f"{self.public} must be between 0 and 1, not {value}")


def audited(method):
    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        try:
            result = method(self, *args, **kwargs)
        except BankError as error:
            self.bank.log.append((method.__name__, self.number, "refused", str(error)))
            raise
        self.bank.log.append((method.__name__, self.number, "done", " ".join(map(str, args))))
        return result

    return wrapper


class Account:
    kinds = {}
    owner = Text(at_least=2)
    rate = Rate()
    prefix = "?"

    def __init_subclass__(cls, prefix, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.prefix = prefix
        Account.kinds[cls.__name__.lower()] = cls

    def __init__(self, bank, owner, rate=Decimal("0.01")):
        self.bank, self.owner, self.rate = bank, owner, rate
        self.number = f"{self.prefix}{next(bank.numbers):04}"
        self._balance = Money(0)

    @property
    def balance(self):
        return self._balance

    @balance.setter
    def balance(self, value):
        self.check(value)
        self._balance = value

    @balance.deleter
    def balance(self):
        raise BankError("balances cannot be deleted")

    def check(self, value):
        if value < Money(0):
            raise InsufficientFunds(self, self._balance - value)

    @audited
    def deposit(self, amount):
        if amount <= Money(0):
            raise BankError(f"cannot deposit {amount}")
        self.balance += amount
        return self.balance

    @audited
    def withdraw(self, amount):
        self.balance -= amount
        return self.balance

    def month(self):
        interest = self.balance * (self.rate / 12)
        if interest:
            self._balance += interest

    def __repr__(self):
        return f"<{type(self).__name__} {self.number} {self.owner}: {self.balance}>"


class Savings(Account, prefix="S"):
    def __init__(self, *args, free=3, **kwargs):
        super().__init__(*args, **kwargs)
        self.free = free

    def withdraw(self, amount):
        if self.free == 0:
            raise BankError(f"{self.number}: no withdrawals left this month")
        self.free -= 1
        return super().withdraw(amount)

    def month(self):
        super().month()
        self.free = 3


class Checking(Account, prefix="C"):
    def __init__(self, *args, overdraft=Money(500), **kwargs):
        super().__init__(*args, **kwargs)
        self.overdraft = overdraft

    def check(self, value):
        if value < -self.overdraft:
            raise InsufficientFunds(self, self._balance - value)


class Bank:
    def __init__(self, name):
        self.name, self.accounts, self.log = name, {}, deque(maxlen=100)
        self.numbers = itertools.count(1)

    def open(self, kind, owner, **options):
        account = Account.kinds[kind](self, owner, **options)
        self.accounts[account.number] = account
        return account

    def __getitem__(self, number):
        try:
            return self.accounts[number]
        except KeyError:
            raise BankError(f"no account {number}") from None

    def __iter__(self):
        return iter(sorted(self.accounts.values(), key=lambda account: account.number))

    def __len__(self):
        return len(self.accounts)

    def __contains__(self, number):
        return number in self.accounts

    @contextlib.contextmanager
    def transaction(self, *numbers):
        before = {number: self[number].balance for number in numbers}
        try:
            yield [self[number] for number in numbers]
        except BankError as error:
            for number, balance in before.items():
                self[number]._balance = balance
            self.log.append(("rollback", ",".join(numbers), "done", str(error)))
            raise

    def transfer(self, source, target, amount):
        with self.transaction(source, target) as (a, b):
            b.deposit(amount)
            a.withdraw(amount)


def main():
    bank = Bank("First")
    ann = bank.open("savings", "Ann", rate=Decimal("0.06"))
    bob = bank.open("checking", "Bob")
    cy = bank.open("checking", "Cy", overdraft=Money(0))
    ann.deposit(Money("1234.56"))
    bob.deposit(Money(100))
    print(*bank, sep="\n")

    bank.transfer(ann.number, cy.number, Money("34.56"))
    for attempt in [
        lambda: bank.transfer(cy.number, bob.number, Money(1000)),
        lambda: bank.transfer(bob.number, "X9999", Money(1)),
        lambda: bob.withdraw(Money("600.01")),
        lambda: ann.deposit(Money(-5)),
        lambda: bob.deposit(Money(1, "USD")),
        lambda: Money(1.5),
        lambda: Money(1) + 1,
        lambda: bank.open("savings", "X"),
        lambda: bank.open("savings", 7),
        lambda: setattr(ann, "rate", Decimal(2)),
        lambda: delattr(ann, "balance"),
        lambda: Validated(),
        lambda: bank.open("loan", "Dee"),
        lambda: [ann.withdraw(Money(1)) for _ in range(4)],
    ]:
        try:
            print("fine:", attempt())
        except InsufficientFunds as error:
            print(f"{type(error).__name__}: {error}; short by {error.shortfall}")
        except Exception as error:
            print(f"{type(error).__name__}: {error}")

    for month in range(1, 13):
        for account in bank:
            account.month()
        if month % 4 == 0:
            print(f"month {month:>2}:", " | ".join(f"{account.balance:>14}" for account in bank))

    print("total:", sum(account.balance for account in bank))
    print("largest:", max(bank, key=lambda account: account.balance))
    print(repr(Money("-1234567.891")), Money("-1234567.891"), 3 * Money("0.335"), Money("0.335") * Decimal("0.5"))
    print(len({Money(1), Money("1.00"), Money(1, "USD")}), len(bank), "S0001" in bank, Account.kinds)

    counts = Counter(outcome for _, _, outcome, _ in bank.log)
    by_account = defaultdict(list)
    for action, number, outcome, detail in bank.log:
        by_account[number].append(f"{action} {outcome}: {detail}")
    print(counts.most_common())
    for number in sorted(by_account):
        print(number, *by_account[number], sep="\n    ")
    print(Account.deposit.__name__, Account.owner.public, Account.balance.fset is not None)


main()
