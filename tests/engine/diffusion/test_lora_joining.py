"""A network that is built while LoRAs are compiled has them, whichever of the two is ready first."""

import threading
from dataclasses import dataclass

import pytest
from clavilux.engine.diffusion.lora_joining import Joining


@dataclass(frozen=True, eq=False)
class Styles:
    names: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.names


class Player:
    plays = "itself"


class Slow(Joining):
    """`wait[build, names]` holds back what is compiled; `begun` says that it is being compiled."""

    def __init__(self) -> None:
        super().__init__(Styles())
        self.wait: dict = {}
        self.begun: dict = {}
        self.made: list = []

    def prepare(self, *names: str):
        return self._prepared(Styles(names))

    def hold(self, build: str, *names: str) -> None:
        self.wait[build, names], self.begun[build, names] = threading.Event(), threading.Event()

    def _grown(self, build, ready):
        self.made.append((build, ready.names))
        if (build, ready.names) in self.wait:
            self.begun[build, ready.names].set()
            self.wait[build, ready.names].wait(30)
        return f"{build} with {' and '.join(ready.names)}"

    def _turn(self, player):
        player.plays = self._with.get(player, "itself")


def beside(act) -> tuple[threading.Thread, list]:
    found: list = []
    thread = threading.Thread(target=lambda: found.append(act()))
    thread.start()
    return thread, found


@pytest.fixture
def plain():
    return Player()


@pytest.fixture
def slow(plain):
    joining = Slow()
    joining.join(plain, "unet")
    return joining


def test_a_network_that_joins_while_loras_are_compiled_has_them(slow, plain):
    slow.hold("unet", "ink")
    preparing, found = beside(lambda: slow.prepare("ink"))
    slow.begun["unet", ("ink",)].wait(30)
    bank = Player()
    slow.join(bank, "bank")
    assert bank.plays == "itself"
    slow.wait["unet", ("ink",)].set()
    preparing.join()
    found[0]()
    assert (plain.plays, bank.plays) == ("unet with ink", "bank with ink")


def test_loras_that_are_ready_first_wait_for_nobody_and_the_network_has_them_when_it_comes(slow, plain):
    slow.hold("bank", "ink")
    slow.prepare("ink")()
    bank = Player()
    joining, _ = beside(lambda: slow.join(bank, "bank"))
    slow.begun["bank", ("ink",)].wait(30)
    slow.prepare("ink", "neon")()
    slow.wait["bank", ("ink",)].set()
    joining.join()
    assert (plain.plays, bank.plays) == ("unet with ink and neon", "bank with ink and neon")


def test_loras_that_are_committed_while_a_network_is_made_ready_for_them(slow, plain):
    slow.hold("unet", "ink")
    slow.hold("bank", "ink")
    preparing, found = beside(lambda: slow.prepare("ink"))
    slow.begun["unet", ("ink",)].wait(30)
    bank = Player()
    joining, _ = beside(lambda: slow.join(bank, "bank"))
    slow.begun["bank", ("ink",)].wait(30)
    slow.wait["unet", ("ink",)].set()
    preparing.join()
    found[0]()
    slow.wait["bank", ("ink",)].set()
    joining.join()
    assert (plain.plays, bank.plays) == ("unet with ink", "bank with ink")
    assert slow.made.count(("bank", ("ink",))) == 1


def test_without_loras_everyone_plays_itself_again(slow, plain):
    slow.prepare("ink")()
    slow.prepare()()
    assert plain.plays == "itself"
