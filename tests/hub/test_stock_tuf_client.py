"""Protects that a stock TUF client can follow the hub's trust metadata."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from cache.replica.trust import segment_target
from hub.clock import HubClock
from hub.keys import TIMESTAMP, create_keys
from hub.trust_repository import TrustRepository, target_of


class Files(FetcherInterface):
    """Fetches `file:` addresses: the stock client without a network."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = Path(url.removeprefix("file:"))
        if not path.is_file():
            raise DownloadHTTPError("not found", 404)
        yield path.read_bytes()


def a_stock_client(folder: Path, client: Path, *, root: bytes, prefix: bool) -> Updater:
    client.mkdir(exist_ok=True)
    (client / "targets").mkdir(exist_ok=True)
    base = f"file:{folder}/metadata/"
    return Updater(
        metadata_dir=str(client),
        metadata_base_url=base,
        target_dir=str(client / "targets"),
        target_base_url=base if prefix else f"file:{folder}/",
        fetcher=Files(),
        config=UpdaterConfig(prefix_targets_with_hash=prefix),
        bootstrap=root,
    )


def test_a_stock_tuf_client_follows_the_repository(tmp_path: Path) -> None:
    folder, client = tmp_path / "replica", tmp_path / "client"
    keys = create_keys(tmp_path / "keys")
    now = HubClock().now()  # the stock client reads the machine's clock
    repository = TrustRepository(folder, keys)
    segment = folder / "segments" / f"{'ab' * 32}.segment"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"rows")
    listed = {segment_target(bytes.fromhex("ab" * 32)): target_of(segment)}
    repository.publish(listed, now)
    root = (folder / "metadata" / "1.root.json").read_bytes()
    stock = a_stock_client(folder, client, root=root, prefix=True)
    stock.refresh()
    info = stock.get_targetinfo("head-keys.pem")
    assert info is not None
    assert b"PUBLIC KEY" in Path(stock.download_target(info)).read_bytes()

    assert keys.root is not None
    other = Ed25519PrivateKey.generate()
    repository.replace_root({TIMESTAMP: other.public_key()}, [keys.root], now)
    TrustRepository(folder, msgspec.structs.replace(keys, timestamp=other)).publish(listed, now)
    stock = a_stock_client(folder, client, root=root, prefix=False)
    stock.refresh()
    info = stock.get_targetinfo(next(iter(listed)))
    assert info is not None
    assert Path(stock.download_target(info)).read_bytes() == b"rows"
