"""Redis, and servers that speak its protocol, as Valkey: an online store in shared memory.

Needs the extra ``redis``: ``pip install "prodml[redis]"``.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from prodml._core.sql import in_pieces
from prodml.errors import MissingDependencyError, StorageError
from prodml.features.online_intake import rows_to_store
from prodml.features.online_rows import MICROSECOND, answer, entities_of, moment_of
from prodml.features.online_store import OnlineRows, PutReport
from prodml.features.online_view import stored_definition
from prodml.integrations._redis_scripts import BEGIN_DROP, END_DROP, HOLD_VIEW, PURGE, PUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    import pandas as pd

    from prodml.features.online_rows import Known, StoredRow
    from prodml.features.online_view import OnlineView

__all__ = ["RedisOnlineStore"]

_PREFIX: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
#: Keys of one command: others wait while a server does it.
_KEYS_AT_ONCE: Final = 1000
_DROPPED: Final = b"dropped:"
#: Times are stored as text of one length whose order is theirs, also before 1970.
_SHIFT: Final = 2**63
_DIGITS: Final = 20


class RedisOnlineStore:
    """An online store in Redis or Valkey, for services on several machines.

    Rows are compared and written by the server, so that of two writers at once the newest row
    wins. A `put` is written a thousand rows at a time, and a reader may see the first ones before
    the last; when it is interrupted, putting the same rows again completes it. Safe between
    threads, processes and machines, and after a fork; it does not pickle. What a crash of the
    server loses is for its own settings to say. Not for a cluster, whose keys lie apart.

    Parameters
    ----------
    connection : str or redis.Redis
        An address, as ``"redis://host:6379/0"`` or ``"unix:///run/redis.sock"``, or a client of
        redis-py, which stays the caller's and must not decode responses.
    prefix : str, default "prodml"
        What all keys begin with: letters, digits and ``_.:-``. A store of its own for each.
    retention : datetime.timedelta, optional
        Let the server forget rows whose event is older. It saves memory and decides nothing: the
        time to live of a view is applied when a row is read, and what was forgotten is
        ``"missing"``.

    Raises
    ------
    MissingDependencyError
        If redis-py is not installed.
    ValueError
        If an argument is none of these.
    """

    def __init__(
        self, connection: Any, *, prefix: str = "prodml", retention: timedelta | None = None
    ) -> None:
        self._library = _import_redis()
        if not _PREFIX.fullmatch(prefix):
            message = f"`prefix` must be letters, digits and _.:-, at most 64, got {prefix!r}."
            raise ValueError(message)
        if retention is not None and retention // MICROSECOND <= 0:
            message = f"`retention` must be longer than nothing, got {retention!r}."
            raise ValueError(message)
        self._is_ours = isinstance(connection, str)
        self._client = self._library.Redis.from_url(connection) if self._is_ours else connection
        settings = self._client.connection_pool.connection_kwargs
        if settings.get("decode_responses"):
            message = "The client decodes responses; make one with `decode_responses=False`."
            raise ValueError(message)
        self._location = _location_of(settings)
        self._prefix = prefix.encode("ascii")
        self._retention = None if retention is None else retention // MICROSECOND
        register = self._client.register_script
        self._hold_view, self._put_rows = register(HOLD_VIEW), register(PUT)
        self._purge_rows, self._begin_drop = register(PURGE), register(BEGIN_DROP)
        self._end_drop = register(END_DROP)
        #: The numbers of views that were seen, by their definition. They may have been dropped.
        self._numbers: dict[str, int] = {}

    def get(
        self,
        view: OnlineView,
        keys: Iterable[Any],
        names: Sequence[str] | None = None,
        *,
        at: datetime,
    ) -> OnlineRows:
        """Return what is known of entities; see :class:`~prodml.features.online_store.OnlineStore`.

        Parameters
        ----------
        view : OnlineView
            What to look into.
        keys : iterable
            Values, or tuples for keys of several parts.
        names : sequence of str, optional
            Features of the view; all by default.
        at : datetime.datetime
            The moment at which the values are to be used; aware.
        """
        chosen = view.choose(names)
        listed, entities = entities_of(view, keys)
        known = self._numbers.get(view.definition)
        with self._explained():
            # the first time, the number is not known, and only the view is asked for
            wanted = [entity for entity in entities if entity is not None]
            held, values = self._fetch(view, known, wanted)
            number = self._number_of(view, held)
            if number is None:
                values = [None] * len(wanted)
            elif number != known:
                held, values = self._fetch(view, number, wanted)
        rows = dict(zip(wanted, values, strict=True))
        found = [_row_of(rows.get(one)) if one is not None else None for one in entities]
        return answer(view, listed, found, chosen, at)

    def _fetch(
        self, view: OnlineView, number: int | None, entities: Sequence[bytes]
    ) -> tuple[bytes | None, list[bytes | None]]:
        """Return what is stored of a view and of entities, in one round trip."""
        if number is None:
            return self._client.get(self._view_key(view.name)), [None] * len(entities)
        keys = [self._view_key(view.name), *(self._row_key(number, one) for one in entities)]
        if len(keys) <= _KEYS_AT_ONCE:
            held, *values = self._client.mget(keys)
            return held, values
        pipeline = self._client.pipeline(transaction=False)
        for piece in in_pieces(keys, _KEYS_AT_ONCE):
            pipeline.mget(piece)
        held, *values = [value for values in pipeline.execute() for value in values]
        return held, values

    def _number_of(self, view: OnlineView, held: bytes | None) -> int | None:
        """Return the number of a view, and refuse one that is stored otherwise."""
        if held is None or held.startswith(_DROPPED):
            self._numbers.pop(view.definition, None)
            return None
        number, _, definition = held.decode("ascii").partition(":")
        stored_definition(view, definition)
        self._numbers[view.definition] = int(number)
        return int(number)

    def put(
        self,
        view: OnlineView,
        rows: pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]],
    ) -> PutReport:
        """Keep what is newer; see :class:`~prodml.features.online_store.OnlineStore`.

        Parameters
        ----------
        view : OnlineView
            What the rows belong to.
        rows : pandas.DataFrame, mapping or iterable of mappings
            A frame, a mapping of columns, a record, or records.
        """
        newest, n_rows = rows_to_store(view, rows)
        left = list(newest.items())
        with self._explained():
            n_written, number = 0, self._hold(view)
            for piece in in_pieces(left, _KEYS_AT_ONCE):
                while (n_more := self._write(view, number, piece)) < 0:
                    number = self._hold(view)  # dropped in between
                n_written += n_more
        return PutReport(view=view.name, n_rows=n_rows, n_written=n_written)

    def _hold(self, view: OnlineView) -> int:
        """Return the number of a view, which is stored where it was not."""
        keys = [self._view_key(view.name), self._prefix + b":numbers"]
        while True:
            held = self._hold_view(keys=keys, args=[view.definition])
            number = self._number_of(view, held)
            if number is not None:
                return number
            self.drop(view.name)  # somebody did not come to the end of it

    def _write(self, view: OnlineView, number: int, rows: Sequence[tuple[bytes, StoredRow]]) -> int:
        """Write rows where they are newer, and return how many; -1 if the view has gone."""
        keys = [self._view_key(view.name), *(self._row_key(number, one) for one, _ in rows)]
        given = chain.from_iterable(self._expiring(row) for _, row in rows)
        return int(self._put_rows(keys=keys, args=[f"{number}:{view.definition}", *given]))

    def _expiring(self, row: StoredRow) -> tuple[str, int | str]:
        text = f"{_digits(row.event)}{_digits(row.created)}{row.content}"
        if self._retention is None:
            return text, ""
        # in the next millisecond, so that nothing is forgotten too early
        return text, max(1, (row.event + self._retention) // 1000 + 1)

    def delete(self, view: OnlineView, keys: Iterable[Any]) -> int:
        """Forget entities, and return how many were known.

        Parameters
        ----------
        view : OnlineView
            Where to forget them.
        keys : iterable
            As in :meth:`get`.
        """
        _, entities = entities_of(view, keys)
        wanted = sorted({entity for entity in entities if entity is not None})
        with self._explained():
            number = self._number_of(view, self._client.get(self._view_key(view.name)))
            if number is None:
                return 0
            return sum(
                int(self._client.delete(*(self._row_key(number, one) for one in piece)))
                for piece in in_pieces(wanted, _KEYS_AT_ONCE)
            )

    def purge(self, view: OnlineView, *, older_than: datetime) -> int:
        """Forget rows whose event lies before a moment, and return how many they were.

        It goes through all keys of the server, a thousand at a time.

        Parameters
        ----------
        view : OnlineView
            Where to forget them.
        older_than : datetime.datetime
            The moment; aware.
        """
        oldest = _digits(moment_of(older_than, "older_than"))
        with self._explained():
            number = self._number_of(view, self._client.get(self._view_key(view.name)))
            if number is None:
                return 0
            pieces = self._row_keys(number)
            return sum(int(self._purge_rows(keys=keys, args=[oldest])) for keys in pieces)

    def drop(self, name: str) -> int:
        """Forget a view with all of its rows, and return how many they were.

        What was interrupted is completed by the next call, or by the next `put`.

        Parameters
        ----------
        name : str
            The name of the view.
        """
        key = self._view_key(name)
        with self._explained():
            held = self._begin_drop(keys=[key], args=[_DROPPED])
            if held is None:
                return 0
            number = int(held.removeprefix(_DROPPED))
            n_deleted = sum(int(self._client.delete(*keys)) for keys in self._row_keys(number))
            self._end_drop(keys=[key], args=[held])
        return n_deleted

    def _view_key(self, name: str) -> bytes:
        return self._prefix + b":view:" + name.encode("utf-8", "surrogatepass")

    def _row_key(self, number: int, entity: bytes) -> bytes:
        return b"%b:row:%d:%b" % (self._prefix, number, entity)

    def _row_keys(self, number: int) -> Iterator[list[bytes]]:
        """Yield the keys of all rows of a view, some at a time."""
        cursor, pattern = 0, self._row_key(number, b"*")
        while True:
            cursor, keys = self._client.scan(cursor, match=pattern, count=_KEYS_AT_ONCE)
            if keys:
                yield keys
            if cursor == 0:
                return

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the server says into an error that says what to do."""
        try:
            yield
        except self._library.RedisError as error:
            first = str(error).strip().partition("\n")[0].rstrip(".")
            message = (
                f"The server {self._location} failed: {first}. What was being written may be "
                f"stored or not; do it again when it answers, which is harmless."
            )
            raise StorageError(message, location=self._location) from error

    def close(self) -> None:
        """Close the connections, where they are this store's own."""
        if self._is_ours:
            self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        message = "A RedisOnlineStore does not pickle; open one where it is needed."
        raise TypeError(message)

    def __repr__(self) -> str:
        return f"RedisOnlineStore({self._location!r}, prefix={self._prefix.decode('ascii')!r})"


def _digits(moment: int) -> str:
    return f"{moment + _SHIFT:0{_DIGITS}d}"


def _row_of(text: bytes | None) -> Known | None:
    if text is None:
        return None
    event, created = int(text[:_DIGITS]), int(text[_DIGITS : 2 * _DIGITS])
    return event - _SHIFT, created - _SHIFT, text[2 * _DIGITS :].decode("ascii")


def _location_of(settings: Mapping[str, Any]) -> str:
    """Return where a client connects to, without its password."""
    database = settings.get("db") or 0
    if path := settings.get("path"):
        return f"unix://{path}?db={database}"
    return f"redis://{settings.get('host', 'localhost')}:{settings.get('port', 6379)}/{database}"


def _import_redis() -> Any:
    try:
        import redis
    except ImportError as error:
        missing = MissingDependencyError.for_extra("redis", extra="redis", purpose="Redis")
        raise missing from error
    return redis
