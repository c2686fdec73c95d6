--[[
  Applies what one batch changes of a slot, if the slot still is where the writer read it.

  KEYS  1        the slot's hash
        2        list of figures that wait to be added to the windows
        3..2+s   streams of summaries, one per owner
        3+s..    hashes of windows
  ARGV  1        expected position; '' if the slot must not exist
        2        new position
        3        new log time, ms
        4        time to live of the slot's keys, ms
        5        number of fields to set, f
        6        number of fields to delete, d
        7        number of streams, s
        8        number of window hashes, w
        9        1 if what waits is dropped
        10       figures that come to wait; '' if none
        then     2f   field, value
                 d    field
                 per stream:      id, summaries of a new entry
                 per window hash: its time to live (ms), its number of fields, then field, value for each

  Output  1 applied; 0 the position was another one and nothing was changed
]]
local slot, waiting = KEYS[1], KEYS[2]
local position = redis.call('HGET', slot, '@position')
if (position or '') ~= ARGV[1] then
  return 0
end

local ttlMs = ARGV[4]
local sets, deletes, streams, windows = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local at = 11

-- Arguments go to a command in portions: Lua's stack holds some 8,000.
local PORTION = 1000
local function write(command, key, from, count)
  local done = 0
  while done < count do
    local portion = math.min(PORTION, count - done)
    redis.call(command, key, unpack(ARGV, from + done, from + done + portion - 1))
    done = done + portion
  end
end

write('HSET', slot, at, 2 * sets)
at = at + 2 * sets
write('HDEL', slot, at, deletes)
at = at + deletes
redis.call('HSET', slot, '@position', ARGV[2], '@logTime', ARGV[3])
redis.call('PEXPIRE', slot, ttlMs)

-- What a slot left behind that is not there any more is not the new one's.
if ARGV[9] == '1' or ARGV[1] == '' then
  redis.call('DEL', waiting)
end
if ARGV[10] ~= '' then
  redis.call('RPUSH', waiting, ARGV[10])
  redis.call('PEXPIRE', waiting, ttlMs)
end

for s = 1, streams do
  local key = KEYS[2 + s]
  redis.call('XADD', key, ARGV[at], 's', ARGV[at + 1])
  at = at + 2
  redis.call('PEXPIRE', key, ttlMs)
end

for w = 1, windows do
  local key = KEYS[2 + streams + w]
  local fields = tonumber(ARGV[at + 1])
  write('HSET', key, at + 2, 2 * fields)
  redis.call('PEXPIRE', key, ARGV[at])
  at = at + 2 + 2 * fields
end

return 1
