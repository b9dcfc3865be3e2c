"""A text adventure as a state machine: rooms from a table, commands by decorator, a script as the player."""

import enum
import re
import sys
import textwrap


class Mood(enum.Enum):
    PLAYING = enum.auto()
    WON = enum.auto()
    LOST = enum.auto()
    QUIT = enum.auto()


class Direction(enum.StrEnum):
    NORTH = "north"
    EAST = "east"
    SOUTH = "south"
    WEST = "west"
    UP = "up"
    DOWN = "down"

    @property
    def opposite(self):
        return {"north": "south", "south": "north", "east": "west", "west": "east", "up": "down", "down": "up"}[self]


class Flags(enum.Flag):
    NONE = 0
    LIT = enum.auto()
    LOCKED = enum.auto()
    FLOODED = enum.auto()


MAP = """
cellar   | LIT         | A low cellar that smells of apples and of older things. A ladder leads up.       | knife rope
kitchen  | LIT         | A kitchen with a cold stove. Doors lead north and east; a trapdoor leads down.    | lamp
hall     | LIT         | A long hall of portraits, every one of them watching the east door.               |
library  | NONE        | Shelves up to a ceiling that you cannot see.                                      | book key
garden   | LIT         | An overgrown garden around a well.                                                | rose
well     | FLOODED     | The bottom of the well. Something glitters under the water.                       | crown
tower    | LIT LOCKED  | A round room with a window in each direction. On a throne sits the old queen.     |
"""

EXITS = """
cellar up kitchen
kitchen north hall
kitchen east garden
hall west library
hall east tower
garden down well
"""


class Room:
    def __init__(self, name, flags, text, items):
        self.name, self.text, self.items = name, text, items
        self.flags = Flags.NONE
        for flag in flags:
            self.flags |= Flags[flag]
        self.exits = {}
        self.visited = 0

    def __repr__(self):
        return f"Room({self.name!r}, {self.flags!r})"


class World:
    def __init__(self):
        self.rooms = {}
        for line in MAP.strip().splitlines():
            name, flags, text, items = (part.strip() for part in line.split("|"))
            self.rooms[name] = Room(name, flags.split(), text, items.split())
        for line in EXITS.strip().splitlines():
            a, direction, b = line.split()
            direction = Direction(direction)
            self.rooms[a].exits[direction] = self.rooms[b]
            self.rooms[b].exits[Direction(direction.opposite)] = self.rooms[a]


class Refusal(Exception):
    pass


class Game:
    commands = []

    def command(pattern, table=commands):
        def register(function):
            table.append((re.compile(pattern + r"\Z"), function))
            return function
        return register

    def __init__(self):
        self.world = World()
        self.room = self.world.rooms["cellar"]
        self.bag, self.moves, self.mood = [], 0, Mood.PLAYING
        self.state = self.explore()
        next(self.state)

    # The dialogue with the queen is a state of its own: a coroutine that takes lines and yields answers.
    def explore(self):
        answer = self.look()
        while self.mood is Mood.PLAYING:
            line = yield answer
            self.moves += 1
            if self.room.name == "tower" and line == "talk queen":
                answer = yield from self.audience()
                continue
            answer = self.obey(line)
        yield answer

    def audience(self):
        line = yield "'What do you bring me?' asks the queen."
        for patience in range(2, -1, -1):
            self.moves += 1
            match line.split():
                case ["give", item] if item not in self.bag:
                    reply = f"'You have no {item}.'"
                case ["give", "crown"]:
                    self.mood = Mood.WON
                    return "She sets the crown on her head, and the house is full of light."
                case ["give", item]:
                    self.bag.remove(item)
                    reply = f"'A {item}. How kind. But no.'"
                case ["leave"]:
                    return "You bow and step back."
                case _:
                    reply = "She raises an eyebrow."
            if patience == 0:
                self.mood = Mood.LOST
                return reply + " 'Guards!'"
            line = yield reply

    def send(self, line):
        return self.state.send(" ".join(line.lower().split()))

    def obey(self, line):
        for pattern, function in self.commands:
            if found := pattern.match(line):
                try:
                    return function(self, **found.groupdict())
                except Refusal as refusal:
                    return str(refusal)
        return f"I do not know how to {line!r}."

    def lit(self):
        return Flags.LIT in self.room.flags or "lamp" in self.bag

    @command(r"l(ook)?")
    def look(self):
        self.room.visited += 1
        if not self.lit():
            return "It is dark here."
        parts = [self.room.text] if self.room.visited < 3 else [f"The {self.room.name} again."]
        if self.room.items:
            parts.append("You see " + " and ".join(f"a {item}" for item in sorted(self.room.items)) + ".")
        parts.append("Ways: " + ", ".join(sorted(self.room.exits)) + ".")
        return " ".join(parts)

    @command(r"(go )?(?P<way>north|east|south|west|up|down|[neswud])")
    def go(self, way):
        way = next(direction for direction in Direction if direction.startswith(way))
        target = self.room.exits.get(way)
        if target is None:
            raise Refusal(f"There is no way {way}.")
        if Flags.LOCKED in target.flags:
            if "key" not in self.bag:
                raise Refusal(f"The {target.name} is locked.")
            target.flags &= ~Flags.LOCKED
        if target.name == "well" and "rope" not in self.bag:
            self.mood = Mood.LOST
            return "You slip, and fall, and fall."
        self.room = target
        return self.look()

    @command(r"(take|get) (?P<item>\w+)")
    def take(self, item):
        if not self.lit():
            raise Refusal("You grope in the dark and find nothing.")
        if item == "all":
            if not self.room.items:
                raise Refusal("There is nothing here.")
            return "\n".join(self.take(each) for each in sorted(self.room.items))
        if item not in self.room.items:
            raise Refusal(f"There is no {item} here.")
        if Flags.FLOODED in self.room.flags:
            raise Refusal("The water is too deep.")
        if len(self.bag) == 4:
            raise Refusal("Your bag is full.")
        self.room.items.remove(item)
        self.bag.append(item)
        return f"Taken: {item}."

    @command(r"drop (?P<item>\w+)")
    def drop(self, item):
        if item not in self.bag:
            raise Refusal(f"You have no {item}.")
        self.bag.remove(item)
        self.room.items.append(item)
        return f"Dropped: {item}."

    @command(r"use (?P<item>\w+)")
    def use(self, item):
        if item not in self.bag:
            raise Refusal(f"You have no {item}.")
        match self.room.name, item:
            case "well", "knife":
                self.room.flags ^= Flags.FLOODED
                return "You scrape the drain open, and the water runs off."
            case _, "book":
                return "It says: 'A drain wants a blade.'"
            case room, _:
                raise Refusal(f"The {item} does nothing in the {room}.")

    @command(r"i(nventory)?")
    def inventory(self):
        return "You carry " + (", ".join(self.bag) or "nothing") + "."

    @command(r"quit")
    def quit(self):
        self.mood = Mood.QUIT
        return "Farewell."

    del command


def play(script):
    game = Game()
    print(textwrap.fill(game.room.text, 70))
    for line in script:
        line = line.strip()
        if not line:
            continue
        print(f"\n> {line}")
        for paragraph in game.send(line).splitlines():
            print(textwrap.fill(paragraph, 70, subsequent_indent="  "))
        if game.mood is not Mood.PLAYING:
            break
    print(f"\n[{game.mood.name.lower()} after {game.moves} moves, bag: {sorted(game.bag)}, in {game.room!r}]\n" + "=" * 70)
    return game.mood


def main():
    results = [play(script.splitlines()) for script in sys.stdin.read().split("---\n")]
    print(results)
    print([f"{flag!r}" for flag in Flags], Flags.LIT | Flags.LOCKED, ~Flags.LIT, Direction("up").opposite)
    print(Game.go.__name__, len(Game.commands), hasattr(Game, "command"))


main()
