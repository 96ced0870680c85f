"""A contract type that import-linter lacks: an allow list of what a layer may import.

A deny list stays green when somebody adds a package that no one thought of. This contract lists what a layer may import, from the portal
and from third parties, and everything else is red. The standard library is always allowed.
"""

from __future__ import annotations

import sys
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyImports(Contract):
    """The source modules import only themselves, the standard library and what `allowed_modules` lists.

    Only direct imports count: the imports of an allowed module are checked by that module's own contract. A name in `allowed_modules`
    allows the module and everything below it.
    """

    type_name = "only_imports"

    source_modules = fields.ListField(subfield=fields.ModuleField())
    allowed_modules = fields.ListField(subfield=fields.StringField(), required=False, default=[])

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """The contract is kept when no source module imports anything outside the list."""
        sources = [str(source.name) for source in self.source_modules]  # type: ignore[attr-defined]
        allowed = (*sources, *self.allowed_modules)  # type: ignore[misc]
        broken = [
            f"{importer} -> {imported} (l.{', l.'.join(_lines(graph, importer, imported))})"
            for source in sources
            for importer in sorted({source} | graph.find_descendants(source))
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not _is_within(imported, allowed) and imported.partition(".")[0] not in sys.stdlib_module_names
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line per import that is not allowed."""
        for line in check.metadata["broken"]:
            output.print_error(f"- {line}", bold=False)
        output.new_line()


def _is_within(module: str, allowed: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in allowed)


def _lines(graph: ImportGraph, importer: str, imported: str) -> list[str]:
    details: list[Any] = graph.get_import_details(importer=importer, imported=imported)
    return [str(detail["line_number"]) for detail in details] or ["?"]
