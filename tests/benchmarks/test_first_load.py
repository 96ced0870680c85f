"""The benchmark of the first visit compares with a page that has the same texts and nothing else, load by load."""

from __future__ import annotations

from benchmarks.first_load import BARE, Loads, bare, table

PAGE = (
    '<!DOCTYPE html><html><head><style>p{}</style></head><body class="a"><p id="x" data-a="1">Текст<!-- --> страницы</p>'
    '<svg viewBox="0"><path d="M0"></path></svg><dialog id="d"><h2>Вход</h2><input type="tel"/></dialog>'
    "<script>run()</script></body></html>"
)


def test_a_bare_page_has_the_texts_and_nothing_else() -> None:
    body = bare(PAGE).partition("</head>")[2]

    assert body == "<body><p>Текст страницы</p><dialog>Вход</dialog></body></html>"


def test_a_ratio_is_of_the_bare_page_of_the_same_round() -> None:
    found = {
        BARE: Loads([100.0, 400.0], [], [0.0, 0.0], [2.0, 2.0], [1, 1]),
        "/": Loads([120.0, 480.0], [150.0, 500.0], [0.0, 0.25], [160.0, 162.0], [10, 10]),
    }

    assert table(found)[1] == ("/", "300", "1.20", "325", "161.0", "10", "0.250")
