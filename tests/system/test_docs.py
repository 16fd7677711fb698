"""docs/dxf.md maps every public name of dxf's module and every variable to ours."""

import json
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))


def read(path):
    """A file of the source tree as text."""
    with open(os.path.join(HERE, '../..', path), encoding='utf-8') as f:
        return f.read()


def rows(text):
    """Cells of all tables of a Markdown text, header and rule lines too."""
    return [[cell.strip() for cell in line.strip().strip('|').split('|')]
            for line in text.splitlines() if line.lstrip().startswith('|')]


def test_names():
    """Each name stands in the first column of a row, and that row says what it is here."""
    table = rows(read('docs/dxf.md').replace('\\|', '/'))
    missing = []
    for line in read('tests/data/dxf-names.txt').splitlines():
        name = line.partition('#')[0].strip()
        if not name:
            continue
        word = re.compile(r'(?<!\w)' + re.escape(name) + r'(?!\w)')
        found = [row for row in table if word.search(row[0].replace('`', ''))
                 and any(re.search(r'\w', cell) for cell in row[1:])]
        if not found:
            missing.append(name)
    assert not missing, f'docs/dxf.md does not map: {", ".join(missing)}'


def test_documented_deviations():
    """Every transcript that is handled otherwise than recorded is in docs/dxf.md too."""
    names = json.loads(read('tests/data/dxf-documented.json'))
    text = read('docs/dxf.md')
    missing = [name for name in names if name not in text]
    assert names and not missing, f'docs/dxf.md does not list: {missing}'
