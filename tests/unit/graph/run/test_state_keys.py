"""What graph/run/state.py says of each key, against the code: who writes it and who reads it."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
STATE = ROOT / "graph" / "run" / "state.py"
SAID = re.compile(r"Written by ([\w, ]+); read by ([\w, ]+)\.$")
Uses = Mapping[tuple[str, str], set[str]]
"""Class and key of a state to the functions that use it."""
Function = ast.FunctionDef
BRANCH, TASK, RUN = "OrderState", "NegotiationTask", "RunState"
STARTS_A_RUN = "_first"
UNTYPED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "heard": ("state", (RUN, TASK)),
    "compact": ("value", (RUN, TASK)),
    "on_chain_end": ("outputs", (RUN,)),
    "_is_own": ("update", (BRANCH,)),
    "_order_key": ("inputs", (BRANCH, TASK)),
    "_drive_graph": ("part.get('sense') or {}", (RUN,)),
    "_note": ("state.values", (RUN,)),
    "move_old_runs": ("values", (RUN,)),
    "_adopt": ("values", (RUN,)),
}
"""Functions that read states, updates or checkpoints without their type: from what, and of which class."""


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(trees: Sequence[ast.Module]) -> list[Function]:
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, Function)]


GRAPH = [tree_of(path) for path in sorted((ROOT / "graph").rglob("*.py"))]


def said(source: str) -> dict[tuple[str, str], tuple[set[str], set[str]]]:
    """Class and key to the writers and readers that its text names. ValueError where it names none."""
    found: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for made in (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)):
        for field, text in zip(made.body, [*made.body[1:], None], strict=True):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                words = text.value.value if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) else ""
                told = SAID.search(" ".join(str(words).split()))
                if told is None:
                    raise ValueError(f"{made.name}.{field.target.id} names no writers and readers")
                writers, readers = ({name.strip() for name in names.split(",")} for names in told.groups())
                found[made.name, field.target.id] = writers, readers
    return found


def keys_of(source: str) -> dict[str, set[str]]:
    """Class to its own keys and those that it inherits."""
    found: dict[str, set[str]] = {}
    for made in (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)):
        own = {f.target.id for f in made.body if isinstance(f, ast.AnnAssign) and isinstance(f.target, ast.Name)}
        found[made.name] = own.union(*(found.get(ast.unparse(base), set()) for base in made.bases))
    return found


CLASSES = keys_of(STATE.read_text(encoding="utf-8"))


def typed(function: Function) -> tuple[str, str] | None:
    """The parameter of a function that is a state, and its class."""
    for parameter in function.args.args:
        kind = ast.unparse(parameter.annotation) if parameter.annotation else ""
        if kind in CLASSES:
            return parameter.arg, kind
    return None


def key_read(node: ast.AST, source: str) -> str | None:
    """The key that `source[key]` or `source.get(key)` reads."""
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == source:
        key: ast.expr | None = node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        key = node.args[0] if ast.unparse(node.func.value) == source else None
    else:
        return None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


def reads(trees: Sequence[ast.Module]) -> Uses:
    found = defaultdict[tuple[str, str], set[str]](set)
    for function in functions(trees):
        known = typed(function)
        source, kinds = (known[0], (known[1],)) if known else UNTYPED.get(function.name, ("", ()))
        keys = {key_read(node, source) for node in ast.walk(function)} if source else set[str | None]()
        for kind in kinds:
            for key in CLASSES[kind].intersection(filter(None, keys)):
                found[kind, key].add(function.name)
    return found


def hidden(trees: Sequence[ast.Module]) -> list[str]:
    """Functions that use a whole state otherwise than by a named key or by handing it to another that has one."""
    takers = {function.name for function in functions(trees) if typed(function)}
    found: list[str] = []
    for function, known in ((function, typed(function)) for function in functions(trees)):
        if known is None:
            continue
        whole = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == known[0]]
        seen = [
            node.value for node in ast.walk(function) if isinstance(node, ast.Subscript) and key_read(node, known[0])
        ]
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            if key_read(call, known[0]) and isinstance(call.func, ast.Attribute):
                seen.append(call.func.value)
            elif ast.unparse(call.func).rpartition(".")[2] in takers:
                seen += call.args
        if any(use not in seen for use in whole):
            found.append(function.name)
    return found


def nodes_of(build: ast.Module) -> dict[str, str]:
    """Name of a node's function to the class of the state that it updates."""
    found: dict[str, str] = {}
    for function in functions([build]):
        made = next(
            (ast.unparse(n.args[0]) for n in ast.walk(function) if _calls(n, "StateGraph") and isinstance(n, ast.Call)),
            "",
        )
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call) and _calls(node, "add_node")):
            does = call.args[1]
            inner = does.args[0] if isinstance(does, ast.Call) and does.args else does
            if isinstance(inner, ast.Attribute):
                found[inner.attr] = made
    return found


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name


def keys_in(value: ast.expr | None, function: Function) -> Iterator[str]:
    """Keys of a dictionary that is written out, in place or in a variable. ValueError for any other."""
    if isinstance(value, ast.Name):
        made = [n for n in ast.walk(function) if isinstance(n, ast.Assign | ast.AnnAssign)]
        named = [
            n.value
            for n in made
            if value.id in map(ast.unparse, n.targets if isinstance(n, ast.Assign) else [n.target])
        ]
        yield from chain.from_iterable(keys_in(one, function) for one in named)
    elif isinstance(value, ast.Dict):
        for key, part in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value
            else:
                yield from keys_in(part, function)
    else:
        raise ValueError(f"{function.name} returns an update whose keys are not written out")


def returned(function: Function) -> set[str]:
    """Keys of the updates that a function returns."""
    ends = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
    return set(chain.from_iterable(keys_in(end.value, function) for end in ends))


def writes(trees: Sequence[ast.Module], build: ast.Module) -> Uses:
    """Updates of nodes, what a run begins with, and what branches and negotiators are sent."""
    found = defaultdict[tuple[str, str], set[str]](set)
    nodes = {**nodes_of(build), STARTS_A_RUN: RUN}
    for function in functions(trees):
        for key in returned(function) if function.name in nodes else ():
            found[nodes[function.name], key].add(function.name)
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            if _calls(call, "Send") and ast.unparse(call.args[0]) == "'order'":
                for key in keys_in(call.args[1], function):
                    found[BRANCH, key].add(function.name)
            elif _calls(call, TASK):
                for given in call.keywords:
                    found[TASK, str(given.arg)].add(function.name)
    return found


BUILD = tree_of(ROOT / "graph" / "run" / "build.py")
WRITES, READS = writes(GRAPH, BUILD), reads(GRAPH)
SAYS = said(STATE.read_text(encoding="utf-8"))
HANDED_BACK = CLASSES["OrderOutcome"]
"""Keys of a branch that go on in the run's state."""


def written(key: tuple[str, str]) -> set[str]:
    kind, name = key
    back = WRITES[BRANCH, name] if name in HANDED_BACK else set[str]()
    return back if kind == "OrderOutcome" else WRITES.get(key, set[str]()) | back


def read(key: tuple[str, str]) -> set[str]:
    kind, name = key
    return READS.get((RUN, name) if kind == "OrderOutcome" else key, set[str]())


@pytest.mark.parametrize("key", SAYS, ids=".".join)
def test_a_key_is_written_by_those_who_are_named(key: tuple[str, str]) -> None:
    assert SAYS[key][0] == written(key)


@pytest.mark.parametrize("key", SAYS, ids=".".join)
def test_a_key_is_read_by_those_who_are_named_and_by_somebody(key: tuple[str, str]) -> None:
    assert SAYS[key][1] == read(key) and SAYS[key][1]


def test_nodes_write_only_keys_of_their_state() -> None:
    assert {(kind, key) for kind, key in WRITES if key not in CLASSES[kind]} == set()


def test_every_node_of_both_graphs_is_looked_at() -> None:
    nodes = nodes_of(BUILD)
    assert len(nodes) == len(re.findall(r"add_node\(", ast.unparse(BUILD))) - 1  # one node is the other graph
    assert nodes["sense"] == RUN and nodes["dispatch"] == BRANCH
    assert nodes.keys() | {STARTS_A_RUN} | UNTYPED.keys() <= {function.name for function in functions(GRAPH)}


def test_no_state_is_read_where_nobody_sees_it() -> None:
    assert hidden(GRAPH) == []


def test_a_wrong_text_a_hidden_reader_and_an_unwritten_update_are_found() -> None:
    with pytest.raises(ValueError, match="RunState.rounds"):
        said('class RunState(TypedDict):\n    rounds: int\n    """How many rounds; choose_plan."""\n')
    secret = ast.parse("def spy(state: RunState) -> None:\n    keep(dict(state))\n    state['orders']\n")
    assert hidden([secret]) == ["spy"] and reads([secret])[RUN, "orders"] == {"spy"}
    (vague,) = functions([ast.parse("def sense(state: RunState) -> Update:\n    return dict(supply=1)\n")])
    with pytest.raises(ValueError, match="sense"):
        returned(vague)
