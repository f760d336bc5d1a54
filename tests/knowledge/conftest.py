"""A small shop's documents, and the knowledge made of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge import KnowledgeBase
from tests.knowledge import papers

RETURNS = """\
---
title: Returns
language: en
tags: [returns]
updated: 2026-09-01
questions:
  - How long do I have to send something back?
---

# Returns

## The return window

You can return anything within **30 days** of delivery. Sale items can be returned in the same way.

## How to return

Print the label from [your account](https://shop.example/account) and drop the parcel at a pick-up point.
"""
DELIVERY = """\
---
title: Delivery
---

# Delivery

## Time and fee

Standard delivery takes 2 to 3 working days and costs 4 euros. It is free from 50 euros.

## Late parcels

If your parcel is late by more than three days, tell us. We start a search with the carrier.
"""
WARRANTY = """\
---
title: Warranty
---

# Warranty

All lamps have a warranty of two years. Bring the receipt, and we repair or replace the lamp.
"""
FAQ = """\
---
title: Questions about payment
kind: faq
---

# Questions about payment

## Which cards do you accept?

We accept Visa and Mastercard. American Express is not accepted.

## Can I pay by invoice?

Companies can pay by invoice within 14 days.
"""
REFUND_ZH = """\
---
title: 退款
language: zh
---

# 退款

## 退款需要多久

我们收到退货后三个工作日内退款，钱会退回原来的付款方式。

## 包裹丢失

如果包裹丢失，我们会免费补发或者全额退款。
"""


@pytest.fixture(scope="session", autouse=True)
def _reading() -> Iterator[None]:
    yield
    papers.reader.close()


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    for name, text in {
        "en/returns.md": RETURNS,
        "en/delivery.md": DELIVERY,
        "en/warranty.md": WARRANTY,
        "en/faq-payment.md": FAQ,
        "zh/refunds.md": REFUND_ZH,
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    folder = tmp_path_factory.mktemp("shop")
    sources = folder / "documents"
    for name, text in (
        ("returns.md", RETURNS),
        ("delivery.md", DELIVERY),
        ("warranty.md", WARRANTY),
        ("faq-payment.md", FAQ),
        ("refunds-zh.md", REFUND_ZH),
    ):
        sources.mkdir(exist_ok=True)
        (sources / name).write_text(text, encoding="utf-8")
    base = KnowledgeBase.open(folder / "index")
    base.add(sources)
    yield base
    base.close()
