"""What a Redis server does by itself for an online store, one whole step each."""

from __future__ import annotations

from typing import Final

__all__ = ["BEGIN_DROP", "END_DROP", "HOLD_VIEW", "PURGE", "PUT"]

# A view is stored as `number:definition`. The number is never used again, so that who knows a
# view that was dropped finds nothing, instead of rows of another layout.
HOLD_VIEW: Final = """
local known = redis.call('GET', KEYS[1])
if not known then
  known = redis.call('INCR', KEYS[2]) .. ':' .. ARGV[1]
  redis.call('SET', KEYS[1], known)
end
return known
"""

# A row is stored as its event, its created time and its values in one text, whose order in bytes
# is that of the rows. Lua's own `<` would follow the language of the server, and its numbers end
# at 2 ** 53.
PUT: Final = """
local function is_newer(new, old)
  for i = 1, math.min(#new, #old) do
    local a, b = string.byte(new, i), string.byte(old, i)
    if a ~= b then return a > b end
  end
  return #new > #old
end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
local n_written = 0
for i = 2, #KEYS do
  local new, expires = ARGV[2 * i - 2], ARGV[2 * i - 1]
  local old = redis.call('GET', KEYS[i])
  if not old or is_newer(new, old) then
    if expires == '' then
      redis.call('SET', KEYS[i], new)
    else
      redis.call('SET', KEYS[i], new, 'PXAT', expires)
    end
    n_written = n_written + 1
  end
end
return n_written
"""

PURGE: Final = """
local n_deleted = 0
for i = 1, #KEYS do
  local event = redis.call('GETRANGE', KEYS[i], 0, 19)
  local is_older = false
  for place = 1, #event do
    local a, b = string.byte(event, place), string.byte(ARGV[1], place)
    if a ~= b then is_older = a < b break end
  end
  if is_older then n_deleted = n_deleted + redis.call('DEL', KEYS[i]) end
end
return n_deleted
"""

BEGIN_DROP: Final = """
local known = redis.call('GET', KEYS[1])
if known and string.sub(known, 1, #ARGV[1]) ~= ARGV[1] then
  known = ARGV[1] .. string.match(known, '^%d+')
  redis.call('SET', KEYS[1], known)
end
return known
"""

END_DROP: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
