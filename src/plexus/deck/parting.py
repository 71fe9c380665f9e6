"""An expression's syntax tree cut into what reads a name and what does not."""

from __future__ import annotations

import ast
from copy import deepcopy


class _Cut(ast.NodeTransformer):
    """Replaces the largest parts that do not read a name by names of their own."""

    def __init__(self, name: str):
        self.name, self.parts = name, dict[str, ast.expr]()

    def visit(self, node: ast.AST) -> ast.AST:
        """Return the node, or the name of a part."""
        if not isinstance(node, ast.expr) or isinstance(node, ast.Constant):
            return super().visit(node)
        if any(isinstance(n, ast.Name) and n.id == self.name for n in ast.walk(node)):
            return super().visit(node)
        key = f"part{len(self.parts)}_"
        self.parts[key] = node
        return ast.Name(key, ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Cut the arguments; the function's name is none of a value."""
        node.args = [self.visit(a) for a in node.args]  # type: ignore[misc]
        return node


def parted(tree: ast.expr, name: str) -> tuple[ast.expr, dict[str, ast.expr]]:
    """Return the tree with names for all parts that do not read ``name``, and these parts."""
    cut = _Cut(name)
    rest: ast.expr = cut.visit(deepcopy(tree))  # type: ignore[assignment]
    return rest, cut.parts
