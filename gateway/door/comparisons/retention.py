"""Removes comparisons that have ended: old ones, and those beyond the number and the bytes that are kept.

Who has the most loses first, always the oldest: nobody's comparisons go because another had many.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.door.comparisons.store import ComparisonStore, Holdings, Removable
from gateway.protocol.door import ComparisonLimits

_AT_ONCE = 500


def clear_up(store: ComparisonStore, limits: ComparisonLimits, now: float) -> int:
    """Remove what is not kept any more, and return how many comparisons that were.

    Raises:
        JobStoreError: the file cannot be used.
    """
    count = 0
    while old := store.ended_before(now - limits.keep_s, _AT_ONCE):
        store.remove([item.number for item in old])
        count += len(old)
    count += _remove_surplus(store, limits.keep_number, lambda held: held.number, lambda _: 1)
    return count + _remove_surplus(store, limits.keep_bytes, lambda held: held.bytes, lambda item: item.bytes)


def _remove_surplus(
    store: ComparisonStore, most: int, held: Callable[[Holdings], int], size: Callable[[Removable], int]
) -> int:
    """Remove comparisons until all together are no more than so many, in the measure of two functions."""
    sizes = {owner: held(holdings) for owner, holdings in store.holdings().items()}
    count = 0
    while (surplus := sum(sizes.values()) - most) > 0:
        owner = max(sizes, key=sizes.__getitem__)
        ahead = sizes[owner] - max((other for name, other in sizes.items() if name != owner), default=0)
        wanted = min(surplus, ahead + 1)
        chosen: list[Removable] = []
        for item in store.oldest(owner, _AT_ONCE):
            if wanted <= 0:
                break
            chosen.append(item)
            wanted -= size(item)
        if not chosen:
            del sizes[owner]
            continue
        store.remove([item.number for item in chosen])
        sizes[owner] -= sum(map(size, chosen))
        count += len(chosen)
    return count
