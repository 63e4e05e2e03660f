#!/usr/bin/python3
"""The house rules that a compiler does not check. Prints `path:line: what; fix` for each break and exits with 1.

Which module may include which is read from the module(...) lines of CMakeLists.txt, so permission and build graph are
one list. The rest are bounds (file and function length), a test beside each source file, a comment that opens each
file, and calls that belong to one place of the house or to none. Python's standard library only.

    tools/tidy.py [ROOT]      ROOT is the checkout, by default the one this script lies in
"""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

# Path -> why length is no sign of two ideas in it.
TABLES = {
    "src/model/catalog.h": "one row for each metric",
    "src/config/options.cc": "one row for each option",
}

CPP = {".h", ".cc"}
# What a person wrote and may have left a promise in.
TEXT = CPP | {".py", ".sh", ".cmake", ".txt", ".md", ".toml", ".json", ".ts", ".tsx", ".css", ".html", ".service", ""}
FOREIGN_FOLDERS = {"build", "node_modules", "__pycache__", "testdata", "seeds"}


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    what: str
    fix: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.what}; {self.fix}"


@dataclass(frozen=True)
class Ban:
    """A piece of code that is not wanted in src/, but in the files or folders `home`."""

    pattern: str
    what: str
    fix: str
    home: tuple = ()
    in_tests: bool = False  # Whether tests may do it.


BANS = (
    Ban(r"\bsleep_(?:for|until)\s*\(|(?<![\w.>])(?:u|nano)?sleep\s*\(", "a sleep",
        "wait on the Clock that is passed in (base/clock.h)", home=("src/base/clock.cc",)),
    Ban(r"\bclock_gettime\s*\(|\bgettimeofday\s*\(|_clock::now\b|(?<![\w.>])time\s*\(\s*(?:nullptr|NULL|0|&)",
        "reads the clock", "ask the Clock that is passed in (base/clock.h)", home=("src/base/clock.cc",)),
    Ban(r"(?<![\w.>])(?:system|popen)\s*\(", "starts a shell", "use a library, or posix_spawn without a shell"),
    Ban(r"\bgets\s*\(", "gets() has no bound", "read into a std::string"),
    Ban(r"\bstr(?:n?cpy|n?cat)\s*\(", "copies without a bound", "use std::string or fmt::format_to_n"),
    Ban(r"\bv?sprintf\s*\(", "sprintf() has no bound", "use fmt::format"),
    Ban(r"\bs?rand\s*\(", "rand() is shared and weak", "use <random> with a seed that is passed in"),
    Ban(r"\busing\s+namespace\s+std\s*;", "using namespace std", "write std:: where it is meant"),
    Ban(r"\bstd::(?:cout|cerr|clog)\b", "writes to standard output or error",
        "return the text, or use base/log.h; only src/cli/ prints", home=("src/cli/",), in_tests=True),
    Ban(r"\bstd::(?:j?thread\b(?!::)|async\b)|\bpthread_create\s*\(", "starts a thread",
        "only src/daemon/ starts threads: give the class a run() for it to call", home=("src/daemon/",), in_tests=True),
)

# In two pieces, so that this file does not break its own rule.
PROMISE = re.compile(r"\b(?:" + "|".join(("TO" "DO", "FIX" "ME", "X" "XX")) + r")\b")

# Comments and literals, in the one order in which a C++ lexer meets them.
_NOT_CODE = re.compile(r"""
      //(?:\\\n|[^\n])*
    | /\*.*?\*/
    | (?<!\w)(?:u8|[uUL])?R"(?P<mark>[^()\s\\"]{0,16})\(.*?\)(?P=mark)"
    | "(?:\\.|[^"\\\n])*"
    | (?<!\w)(?:u8|[uUL])?'(?:\\.|[^'\\\n])*'
    """, re.VERBOSE | re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
_NOT_NEWLINE = re.compile(r"[^\n]")


def blanked(match):
    return _NOT_NEWLINE.sub(" ", match.group())


def code_of(text):
    """The text with comments and literals blanked; every offset and line stays where it was."""
    return _NOT_CODE.sub(blanked, text)


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


def is_test(path):
    name = path.rsplit("/", 1)[-1]
    return name.endswith("_test.cc") or name.startswith("test_")


# ------------------------------------------------------------------------------------------------------ modules

_MODULE = re.compile(r"^[ \t]*module\(\s*([^)]*)\)", re.MULTILINE)


def read_modules(cmake_text):
    """Module -> the modules it may include, and a finding for each one that is not listed before it.

    A module may only name earlier ones, so the list cannot hold a cycle.
    """
    text = re.sub(r"#[^\n]*", lambda match: " " * len(match.group()), cmake_text)
    modules, findings = {}, []
    for match in _MODULE.finditer(text):
        name, *may_include = match.group(1).split()
        for other in may_include:
            if other not in modules:
                findings.append(Finding("CMakeLists.txt", line_at(text, match.start()),
                                        f"module {name} names {other}, which is not listed above it",
                                        "modules stand in dependency order, without cycles"))
        modules[name] = set(may_include)
    return modules, findings


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.MULTILINE)


def check_includes(tree, path, text, modules):
    module = path.split("/")[1]
    permitted = modules.get(module, set()) | {module}
    for match in _INCLUDE.finditer(text):
        quoted, angled = match.groups()
        # <net/if.h> is the kernel's, whatever our modules are called.
        if angled and f"src/{angled}" not in tree:
            continue
        wrong = wrong_include(quoted or angled, module, permitted, modules)
        if wrong:
            yield Finding(path, line_at(text, match.start(1 if quoted else 2)), *wrong)


def wrong_include(target, module, permitted, modules):
    parts = target.split("/")
    if ".." in parts or "." in parts:
        return f'includes "{target}"', "name it from src/, without dots"
    if parts[0] not in modules:
        return f'includes "{target}", which is in no module', "name our headers from src/, others in <>"
    if parts[0] not in permitted:
        return (f'{module} includes "{target}", but may not include {parts[0]}',
                "move the code, or permit it in CMakeLists.txt when the order of the modules allows")
    return None


def check_folder(path, modules):
    parts = path.split("/")
    if len(parts) < 3:
        yield Finding(path, 1, "lies outside the modules", "move it into a module's folder")
    elif parts[1] not in modules:
        yield Finding(path, 1, f"src/{parts[1]} is not a module", "add module(...) to CMakeLists.txt")


# ------------------------------------------------------------------------------------------------------- bounds


def check_length(path, text):
    lines = text.count("\n")
    if lines > FILE_LINES_MAX and path not in TABLES and not is_test(path):
        yield Finding(path, lines, f"{lines} lines, more than {FILE_LINES_MAX}",
                      "split it into two ideas (a table: name it in TABLES of tools/tidy.py)")


_TEMPLATE = re.compile(r"\btemplate\s*<[^{};]*?>\s*(?=\w|\[)")
_SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum)\b|\bextern\s+$")
# The first character of what a name is set to: "[" opens a lambda. No operator==, no default argument.
_ASSIGNMENT = re.compile(r"^[^()]*?(?<!operator)(?<![=!<>])=(?!=)\s*(\S?)")
_ANNOTATION = re.compile(r"\b[A-Z][A-Z_]+\s*\([^()]*\)")  # class CAPABILITY("mutex") Mutex
_ACCESS = re.compile(r"\s*(?:public|private|protected)\s*:")


def functions(code):
    """(first line, last line) of each outermost function body in the blanked code.

    Reads braces, not C++: a block is a function when its head has a parameter list or is a lambda's, and a scope
    to look into when its head names a namespace or a type.
    """
    code = _DIRECTIVE.sub(blanked, code)
    head, inner, start = 0, 0, None
    for match in re.finditer(r"[{};]", code):
        mark, at = match.group(), match.start()
        if inner:
            inner += {"{": 1, "}": -1, ";": 0}[mark]
            if inner == 0 and not continues(code, at):
                if start is not None:
                    yield line_at(code, start), line_at(code, at)
                head, start = at + 1, None
        elif mark == "{" and start is None and is_scope(code[head:at]):
            head = at + 1
        elif mark == "{":
            inner = 1
            if start is None and is_function(code[head:at]):
                start = first_code(code, head)
        else:
            head, start = at + 1, None


def continues(code, closing):
    """After the brace of a member initialiser or an argument: the function's own body is still to come."""
    return code[closing + 1:closing + 200].lstrip()[:1] in (",", "{", ")")


def is_scope(head):
    head = _ANNOTATION.sub("", _TEMPLATE.sub("", head))
    return bool(_SCOPE.search(head)) and "(" not in head and "=" not in head


def is_function(head):
    head = _TEMPLATE.sub("", head)
    if head.count("(") != head.count(")"):
        return False  # An argument: std::to_array<Row>({
    value = _ASSIGNMENT.search(head)
    return value.group(1) == "[" if value else ")" in head


def first_code(code, head):
    skipped = _ACCESS.match(code, head)
    rest = code[skipped.end() if skipped else head:]
    return len(code) - len(rest.lstrip())


def check_functions(path, code):
    if path in TABLES:
        return
    for first, last in functions(code):
        lines = last - first + 1
        if lines > FUNCTION_LINES_MAX:
            yield Finding(path, first, f"a function of {lines} lines, more than {FUNCTION_LINES_MAX}",
                          "give its steps names of their own")


# ------------------------------------------------------------------------------------------------------- habits


def check_test_beside(tree, path):
    if not path.endswith(".cc") or path.endswith("/main.cc") or is_test(path):
        return
    test = path.removesuffix(".cc") + "_test.cc"
    if test not in tree:
        yield Finding(path, 1, "has no test beside it", f"write {test}")


def check_opening(tree, path, text):
    """A header opens with what it is for; so does a source file that has no header to say it."""
    if is_test(path) or (path.endswith(".cc") and path.removesuffix(".cc") + ".h" in tree):
        return
    if not text.startswith(("//", "/*")):
        yield Finding(path, 1, "does not open with a comment",
                      "say in 2 to 6 lines what it is, its contract and its thread rule")


def check_bans(path, code):
    for ban in BANS:
        if path.startswith(ban.home) or (ban.in_tests and is_test(path)):
            continue
        for match in re.finditer(ban.pattern, code):
            yield Finding(path, line_at(code, match.start()), ban.what, ban.fix)


def check_promises(path, text):
    for match in PROMISE.finditer(text):
        yield Finding(path, line_at(text, match.start()), f"{match.group()} is a promise left in a file",
                      "do it now, or say in the docs that it is absent")


# --------------------------------------------------------------------------------------------------------- tree


def read_tree(root):
    """Path from the root -> text, of every file a person wrote."""
    tree = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders
                      if name not in FOREIGN_FOLDERS and (name == ".ci" or not name.startswith("."))]
        for name in names:
            path = Path(folder, name)
            if path.suffix in TEXT and path.is_file():
                tree[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8", errors="replace")
    return tree


def check_source(tree, path, modules):
    text = tree[path]
    code = code_of(text)
    yield from check_folder(path, modules)
    yield from check_includes(tree, path, text, modules)
    yield from check_length(path, text)
    yield from check_functions(path, code)
    yield from check_test_beside(tree, path)
    yield from check_opening(tree, path, text)
    yield from check_bans(path, code)


def check_tree(root):
    tree = read_tree(root)
    modules, findings = read_modules(tree.get("CMakeLists.txt", ""))
    for path, text in tree.items():
        findings += check_promises(path, text)
        if path.startswith("src/") and Path(path).suffix in CPP:
            findings += check_source(tree, path, modules)
    return sorted(findings)


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    findings = check_tree(root)
    for finding in findings:
        print(finding)
    print(f"tidy: {len(findings)} findings" if findings else "tidy: the house is in order", file=sys.stderr)
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
