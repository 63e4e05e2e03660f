#!/usr/bin/python3
"""Plants each break of the house rules in a small tree of its own and looks for it in the report of tidy.py."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import tidy

CMAKE = "module(base)\nmodule(model base)\nmodule(net base)\nmodule(daemon base model net)\nmodule(cli base daemon)\n"
OPENING = "// What it is.\n"
PROMISE = "TO" "DO"


def lines_of(tree):
    """The report on a tree given as path -> text, without fixes: ["path:line: what", ...]."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in {"CMakeLists.txt": CMAKE, **tree}.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return [f"{found.path}:{found.line}: {found.what}" for found in tidy.check_tree(Path(folder))]


def body(lines, indent="  "):
    return f"{indent}step();\n" * lines


class TidyTest(unittest.TestCase):
    maxDiff = None

    def check(self, text, *want, path="src/base/a.h"):
        """The findings in one file; `want` are "line: what"."""
        self.assertEqual([f"{path}:{line}" for line in want], lines_of({path: text}))

    def check_code(self, code, *want, path="src/base/a.h"):
        self.check(OPENING + code, *want, path=path)

    # ------------------------------------------------------------------------------------------------ modules

    def test_an_include_that_is_permitted_is_no_finding(self):
        self.check_code('#include <vector>\n#include "base/b.h"\n#include "model/a.h"\n', path="src/model/a.h")

    def test_an_include_of_a_module_that_is_not_listed(self):
        self.check_code('#include "base/b.h"\n\n#include "net/b.h"\n',
                        '4: model includes "net/b.h", but may not include net', path="src/model/a.h")

    def test_an_upward_include(self):
        self.check_code('#include "model/b.h"\n', '2: base includes "model/b.h", but may not include model')

    def test_permission_is_not_inherited(self):
        self.check_code('#include "model/b.h"\n', '2: cli includes "model/b.h", but may not include model',
                        path="src/cli/a.h")

    def test_a_test_has_the_permissions_of_its_module(self):
        self.check('#include "net/b.h"\n', '1: model includes "net/b.h", but may not include net',
                   path="src/model/a_test.cc")

    def test_an_include_with_dots(self):
        self.check_code('#include "../base/b.h"\n', '2: includes "../base/b.h"', path="src/model/a.h")
        self.check_code('#include "base/../net/b.h"\n', '2: includes "base/../net/b.h"', path="src/model/a.h")

    def test_an_include_of_no_module(self):
        self.check_code('#include "b.h"\n', '2: includes "b.h", which is in no module')

    def test_angle_brackets_hide_nothing_and_name_system_headers(self):
        tree = {"src/base/a.h": OPENING + "#include <net/if.h>\n#include <net/b.h>\n", "src/net/b.h": OPENING}
        self.assertEqual(['src/base/a.h:3: base includes "net/b.h", but may not include net'], lines_of(tree))

    def test_a_folder_that_is_no_module(self):
        self.check_code("", "1: src/extra is not a module", path="src/extra/a.h")

    def test_a_file_outside_the_modules(self):
        self.check_code("", "1: lies outside the modules", path="src/a.h")

    def test_a_module_list_with_a_cycle(self):
        self.assertEqual(["CMakeLists.txt:1: module a names b, which is not listed above it"],
                         lines_of({"CMakeLists.txt": "module(a b)\nmodule(b a)\n"}))

    def test_a_commented_module_line_permits_nothing(self):
        self.assertEqual(({"base": set()}, []), tidy.read_modules("module(base)  # module(model base)\n"))

    # ------------------------------------------------------------------------------------------------- bounds

    def test_a_file_of_400_lines_fits_and_one_more_does_not(self):
        self.check_code("\n" * 399)
        self.check_code("\n" * 400, "401: 401 lines, more than 400")

    def test_a_table_and_a_test_may_be_long(self):
        self.check_code("\n" * 999, path="src/model/catalog.h")
        self.check("\n" * 999, path="src/base/a_test.cc")

    def test_a_function_of_70_lines_fits_and_one_more_does_not(self):
        self.check_code("void f() {\n" + body(68) + "}\n")
        self.check_code("void f() {\n" + body(69) + "}\n", "2: a function of 71 lines, more than 70")

    def check_function(self, before, after="}\n", line=3):
        """A function of 80 lines that opens at `line` is found, and so is nothing else."""
        text = "namespace virtmeter {\n" + before + body(78) + after + "}\n"
        self.check_code(text, f"{line}: a function of 80 lines, more than 70")

    def test_long_functions_of_every_form(self):
        self.check_function("int Reader::next(int a) const noexcept {\n")
        self.check_function("template <typename T = int> T get(T a) {\n")
        self.check_function("auto f(int a = 1) -> Result<int> {\n")
        self.check_function("bool operator==(const A& a, const A& b) {\n")
        self.check_function("A& A::operator=(const A& a) {\n")
        self.check_function("A::A(int a) : a_(a), b_{a}, c_{{1, 2}} {\n")
        self.check_function("inline constexpr auto kTable = [] {\n", after="};\n")
        self.check_function("const auto add = [](int a) -> int {\n", after="};\n")
        self.check_function("void f() REQUIRES(mutex_) {\n")
        self.check_function("TEST(Reader, Reads) {\n")

    def test_a_long_method_in_a_class(self):
        self.check_function('class CAPABILITY("mutex") A final : public B<int> {\n public:\n  void f() {\n',
                            after="  }\n};\n", line=5)

    def test_a_function_counts_from_its_first_line(self):
        self.check_code("template <typename T>\nvoid f(int a,\n       int b) {\n" + body(67) + "}\n",
                        "2: a function of 71 lines, more than 70")

    def test_no_long_function_is_a_class_a_namespace_or_a_table(self):
        self.check_code("namespace virtmeter {\nclass A {\n" + "  int f() { return 1; }\n" * 80 + "};\n}\n")
        self.check_code("constexpr auto kRows = std::to_array<Row>({\n" + '  {"a", f(1)},\n' * 80 + "});\n")
        self.check_code("const std::vector<int> kAll = {\n" + "  1,\n" * 80 + "};\n")
        self.check_code("enum class A {\n" + "  a,\n" * 80 + "};\n")

    def test_braces_in_literals_comments_and_macros_are_not_counted(self):
        self.check_code("const char* f() { /* { */ return \"{\\\"{\"; }  // {\n#define OPEN {\n"
                        "char g() { return '{'; }\nint h() { return 1'000; }\n"
                        "auto i() { return R\"x({)\"{)x\"; }\n" + "void j() { step(); }\n" * 80)

    # ------------------------------------------------------------------------------------------------- habits

    def test_a_source_file_without_a_test(self):
        tree = {"src/base/a.h": OPENING, "src/base/a.cc": "", "src/base/main.cc": OPENING}
        self.assertEqual(["src/base/a.cc:1: has no test beside it"], lines_of(tree))
        self.assertEqual([], lines_of({**tree, "src/base/a_test.cc": ""}))

    def test_a_file_that_does_not_open_with_a_comment(self):
        self.check("#pragma once\n", "1: does not open with a comment")
        self.check("int main() {}\n", "1: does not open with a comment", path="src/cli/main.cc")

    def check_ban(self, code, what, home=None):
        """Banned in src/base, in comments and literals not meant, and permitted in `home`."""
        self.check_code(f"\nvoid f() {{ {code}; }}\n", f"3: {what}")
        self.check_code(f'// {code}\nconst char* kText = R"({code})";\n')
        if home:
            self.check_code(f"void f() {{ {code}; }}\n", path=home)

    def test_sleeps(self):
        for code in ("std::this_thread::sleep_for(x)", "usleep(1)", "::sleep(1)", "nanosleep(&a, &b)"):
            self.check_ban(code, "a sleep")

    def test_clocks(self):
        for code in ("clock_gettime(id, &now)", "std::chrono::steady_clock::now()", "time(nullptr)", "time(&now)"):
            self.check_ban(code, "reads the clock")

    def test_the_clock_itself_may_read_and_wait(self):
        tree = {"src/base/clock.h": OPENING, "src/base/clock_test.cc": "",
                "src/base/clock.cc": "void f() { clock_gettime(id, &now); usleep(1); }\n"}
        self.assertEqual([], lines_of(tree))

    def test_calls_that_are_banned_everywhere(self):
        self.check_ban("system(text)", "starts a shell")
        self.check_ban("std::system(text)", "starts a shell")
        self.check_ban("popen(text, mode)", "starts a shell")
        self.check_ban("gets(line)", "gets() has no bound")
        self.check_ban("strcpy(a, b)", "copies without a bound")
        self.check_ban("std::strncat(a, b, 1)", "copies without a bound")
        self.check_ban("sprintf(a, b)", "sprintf() has no bound")
        self.check_ban("std::rand()", "rand() is shared and weak")
        self.check_ban("using namespace std", "using namespace std")

    def test_calls_that_only_look_like_banned_ones(self):
        self.check_code("void f() { snprintf(a, 1, b); fgets(a, 1, b); shell.system(1); clock.time(0); operand(); "
                        "using namespace std::chrono_literals; std::thread::id me; file_system(1); }\n")

    def test_printing_belongs_to_cli(self):
        self.check_ban("std::cout << 1", "writes to standard output or error", home="src/cli/a.h")

    def test_threads_belong_to_daemon(self):
        for code in ("std::thread worker(run)", "std::jthread worker(run)", "std::async(run)",
                     "pthread_create(a, b, c, d)"):
            self.check_ban(code, "starts a thread", home="src/daemon/a.h")

    def test_a_test_may_print_and_start_threads_but_not_sleep(self):
        self.check("std::thread t;\nvoid f() { std::cerr << 1; usleep(1); }\n", "2: a sleep",
                   path="src/base/a_test.cc")
        self.check("std::thread t;\n", path="src/base/test_server.h")

    def test_a_promise_in_any_file(self):
        for path in ("docs/a.md", "scripts/run", ".ci/run", "tools/a.py", "tests/a.cc", "src/base/a.h"):
            self.check_code(f"// {PROMISE}: more\n", f"2: {PROMISE} is a promise left in a file", path=path)
        self.check_code("mktemp -d a.XXXXXX\n", path="scripts/run")

    def test_other_peoples_files_are_left_alone(self):
        for folder in ("build/debug", "ui/node_modules", ".git", "fuzz/seeds/xml", "src/base/testdata"):
            self.check(PROMISE, path=f"{folder}/a.md")

    # ------------------------------------------------------------------------------------------------ program

    def test_the_program_prints_place_and_fix_and_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "a.md").write_text(f"{PROMISE}\n", encoding="utf-8")
            done = subprocess.run([HERE / "tidy.py", folder], capture_output=True, text=True, check=False)
            self.assertEqual((1, f"a.md:1: {PROMISE} is a promise left in a file; do it now, or say in the docs that "
                                 "it is absent\n"), (done.returncode, done.stdout))
            Path(folder, "a.md").unlink()
            done = subprocess.run([HERE / "tidy.py", folder], capture_output=True, text=True, check=False)
            self.assertEqual((0, ""), (done.returncode, done.stdout))


if __name__ == "__main__":
    unittest.main()
