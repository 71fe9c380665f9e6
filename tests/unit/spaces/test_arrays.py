"""Functions of arrays give the same on NumPy arrays and on tensors."""

import numpy as np
import torch

from plexus.fields.arrays import add_at, einsum, eye, like, maximum, namespace, stack, where

A = np.array([[1.0, -2.0], [0.5, 3.0]])
B = np.array([[0.0, 1.0], [2.0, -1.0]])


def same(f):
    got = f(torch.from_numpy(A), torch.from_numpy(B))
    assert isinstance(got, torch.Tensor)
    assert np.array_equal(got.numpy(), f(A, B))


def test_both_kinds_agree():
    same(lambda a, b: einsum("ij,jk->ik", a, b))
    same(lambda a, b: stack([a, b[:1], a[:, :1]], -1))
    same(lambda a, b: where(a > b, a, 0.0))
    same(lambda a, b: where(a > b, 1.0, b))
    same(lambda a, b: where(a > b, 1.0, 2.0))
    same(lambda a, b: maximum(a, b))
    same(lambda a, b: maximum(a, 0.0))
    same(lambda a, b: a @ eye(2, b))
    same(lambda a, b: like(np.ones(2), a) + b)


def test_the_kind_follows_any_tensor():
    assert namespace(A, 1.0) is np
    assert namespace(A, torch.from_numpy(B)) is torch


def test_repeated_rows_add_up():
    for kind in (np.asarray, torch.from_numpy):
        out = kind(np.zeros((3, 1)))
        add_at(out, kind(np.array([[0, 2], [2, 2]], dtype=np.int32)), kind(np.ones((2, 2, 1))))
        assert np.asarray(out).ravel().tolist() == [1, 0, 3]
