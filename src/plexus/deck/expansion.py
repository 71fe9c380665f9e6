"""Calls of tables of time in an expression, replaced by what they stand for (`plexus.deck.tables`)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, Protocol

from plexus.deck.syntax import ExpressionError


class Tabulated(Protocol):
    """A function of time with a syntax tree."""

    def tree(self, argument: ast.expr) -> ast.expr:
        """Return the function of an argument."""


class _Expansion(ast.NodeTransformer):
    """Puts for each call of a table what it stands for."""

    def __init__(self, tables: Mapping[str, Tabulated]):
        self.tables = tables

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Expand a call of a table."""
        self.generic_visit_args(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in self.tables:
            return node
        if len(node.args) != 1 or not {n.id for n in ast.walk(node.args[0]) if isinstance(n, ast.Name)} <= {
            "t"
        }:
            raise ExpressionError(f"{name} is a table of time: write {name}(t)")
        tree = self.tables[name].tree(node.args[0])
        for part in ast.walk(tree):
            ast.copy_location(part, node)
        tree.table = self.tables[name]  # type: ignore[attr-defined]
        return tree

    def generic_visit_args(self, node: ast.Call) -> None:
        """Expand what stands in the arguments, not the function's name."""
        node.args = [self.visit(a) for a in node.args]

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Refuse a table that is not called."""
        if node.id in self.tables:
            raise ExpressionError(f"{node.id} is a table of time: write {node.id}(t)")
        return node


def expanded(tree: ast.expr, bound: Mapping[str, Any]) -> ast.expr:
    """Return a tree in which calls of tables are what they stand for.

    Raises
    ------
    ExpressionError
        If a table is not a function of time alone.
    """
    tables = {name: value for name, value in bound.items() if hasattr(value, "tree")}
    if not tables:
        return tree
    found: ast.expr = _Expansion(tables).visit(tree)
    return found
