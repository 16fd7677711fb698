"""What is installed: examples compiled with the installed headers and pkg-config, symbols, README."""

import os
import re

import pytest
from fake.client import Program, build_dir, need, run, sanitized

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), '../..'))
EXAMPLES = sorted(f[:-2] for f in os.listdir(os.path.join(SOURCE, 'examples')) if f.endswith('.c'))
HEADERS = sorted(f for f in os.listdir(os.path.join(SOURCE, 'include/davit')) if f.endswith('.h'))
FLAGS = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-pedantic']


def read(*parts):
    """A file of the source tree as text."""
    with open(os.path.join(SOURCE, *parts), encoding='utf-8') as f:
        return f.read()


def output(*argv, env=None):
    """Output of a program that must succeed."""
    result = run(argv, env=env)
    result.ok()
    return result.text


class Installed:
    """davit installed below a temporary root."""

    def __init__(self, root):
        self.root = str(root)
        env = {**os.environ, 'DESTDIR': self.root}
        output(need('meson'), 'install', '-C', build_dir(), '--no-rebuild', '--quiet', env=env)
        found = run(['find', self.root, '-name', 'davit.pc']).text.split()
        assert len(found) == 1, 'no pkg-config file is installed'
        self.env = {'PATH': os.environ['PATH'], 'PKG_CONFIG_SYSROOT_DIR': self.root,
                    'PKG_CONFIG_LIBDIR': os.path.dirname(found[0]) + ':' + output(
                        'pkg-config', '--variable', 'pc_path', 'pkg-config').strip()}
        self.lib = output('pkg-config', '--variable=libdir', 'davit', env=self.env).strip()
        if not self.lib.startswith(self.root):
            self.lib = self.root + self.lib

    def compile(self, source, program, compiler='cc', flags=()):
        """Compile one file with nothing but what is installed."""
        if sanitized():
            flags = [*(flags or FLAGS), '-fsanitize=address,undefined']
        options = output('pkg-config', '--cflags', '--libs', 'davit', env=self.env).split()
        output(need(compiler), *(flags or FLAGS), '-o', str(program), str(source), *options)
        return str(program)


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    """One installation for all tests here."""
    return Installed(tmp_path_factory.mktemp('root'))


def test_there_are_examples():
    """Push and pull, streaming, listing."""
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize('name', EXAMPLES)
def test_example(installed, registry, repo, blob, home, work, name, dxf):
    """Each example's first comment says how it is run: `usage: NAME ARG…` with HOST, REPO, FILE,
    DIGEST and OUTPUT as words."""
    text = read('examples', name + '.c')
    usage = re.search(r'[Uu]sage:\s+(?:\./)?' + re.escape(name) + r'([^\n*]*)', text)
    assert usage, f'examples/{name}.c does not say its usage'
    item = blob(50_000)
    dxf(registry).run('push-blob', repo, item.path, '@latest').ok()
    words = {'HOST': registry.host, 'REPO': repo, 'REPOSITORY': repo, 'FILE': str(item.path),
             'DIGEST': item.digest, 'OUTPUT': str(work / 'out'), 'OUT': str(work / 'out'),
             'ALIAS': 'latest'}
    args = [re.sub('|'.join(sorted(words, key=len, reverse=True)), lambda m: words[m.group()], arg)
            for arg in usage.group(1).replace('[', ' ').replace(']', ' ').split()]
    path = installed.compile(os.path.join(SOURCE, 'examples', name + '.c'), work / name)
    program = Program(path, home, LD_LIBRARY_PATH=installed.lib)
    result = program.run(*args)
    result.ok()
    if (work / 'out').exists():
        assert (work / 'out').read_bytes() == item.data
    bad = program.run(*[a.replace(registry.host, '127.0.0.1:1') for a in args])
    assert bad.code != 0 and bad.err


def test_readme_example(installed, registry, repo, blob, home, work):
    """README's own C example compiles, and stores a file."""
    found = re.findall(r'```c\n(.*?)```', read('README.md'), re.S)
    assert found, 'README.md has no C example'
    whole = [text for text in found if 'main(' in text]
    assert whole, 'README.md has no whole C program'
    item = blob(50_000)
    for n, text in enumerate(whole):
        (work / f'readme{n}.c').write_text(text)
        path = installed.compile(work / f'readme{n}.c', work / f'readme{n}')
        program = Program(path, home, LD_LIBRARY_PATH=installed.lib)
        result = program.run(registry.host, repo, item.path).ok()
        assert result.text == f'{item.digest} {len(item.data)}\n'


@pytest.mark.parametrize('header', HEADERS)
def test_header_alone(installed, work, header):
    """Each installed header compiles alone, as C11 and as C++."""
    for compiler, suffix, flags in (('cc', 'c', FLAGS), ('c++', 'cc', FLAGS[1:])):
        source = work / f'h.{suffix}'
        source.write_text(f'#include <davit/{header}>\nint main(void) {{ return 0; }}\n')
        installed.compile(source, work / 'h', compiler, flags)


def exported(path):
    """Names that a shared library exports."""
    text = output('nm', '-D', '--defined-only', path)
    return {line.split()[-1].partition('@')[0] for line in text.splitlines()
            if line.split()[-2] != 'A'}


def declared():
    """Functions that the public headers declare."""
    names = set()
    for header in os.listdir(os.path.join(SOURCE, 'include/davit')):
        if header.endswith('.h'):
            text = re.sub(r'/\*.*?\*/', '', read('include/davit', header), flags=re.S)
            for line in re.findall(r'DAVIT_API([^;]*);', text):
                names.add(re.search(r'(\w+)\s*(\(|$)', line.strip()).group(1))
    return names


def test_exported_symbols(installed):
    """Exactly what the headers declare, each in the map file's version."""
    library = os.path.join(installed.lib, 'libdavit.so')
    names = exported(library)
    assert names == declared(), {'only exported': names - declared(),
                                 'only declared': declared() - names}
    assert all(name.startswith('davit_') for name in names)
    versions = set(re.findall(r'^(DAVIT_[\w.]+)\s*{', read('src/libdavit.map'), re.M))
    assert versions, 'the map file names no version'
    found = set(re.findall(r'@@?(\S+)$', output('nm', '-D', '--defined-only', library), re.M))
    assert found <= versions and found, (found, versions)


def test_soname(installed):
    """The SONAME carries the minor version."""
    text = output('readelf', '-d', os.path.join(installed.lib, 'libdavit.so'))
    assert re.search(r'SONAME.*\[libdavit\.so\.\d+\.\d+\]', text), text


def test_installed_programs(installed, home):
    """davit and dxf run from where they are installed; the man page and completions are there."""
    files = output('find', installed.root, '-type', 'f', '-o', '-type', 'l').split()
    ends = {'bin/davit', 'bin/dxf', 'man1/davit.1', 'completions/davit', '_davit', 'davit.fish'}
    missing = {e for e in ends if not any(f.endswith(e) for f in files)}
    assert not missing, missing
    path = next(f for f in files if f.endswith('bin/davit'))
    result = Program(path, home, LD_LIBRARY_PATH=installed.lib).run('--version').ok()
    assert re.fullmatch(r'davit \d+\.\d+\.\d+\n', result.text)
