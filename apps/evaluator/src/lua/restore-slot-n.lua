--[[
  Puts a whole slot back, unless there is one that has come as far or further.

  KEYS  1        the slot's hash
        2..1+s   streams of summaries, of every owner
  ARGV  1        position of the slot to put back
        2        time to live of the slot's keys, ms
        3        number of the hash's fields, f, @position and the other marks among them
        then     2f   field, value
                 per stream: id, summaries of its one entry; '' and '': it has none

  Output  1 restored; 0 a newer one was found and nothing was changed
]]
local slot = KEYS[1]
local found = redis.call('HGET', slot, '@position')
if found and tonumber(found) >= tonumber(ARGV[1]) then
  return 0
end
redis.call('DEL', unpack(KEYS))

local ttlMs, fields = ARGV[2], tonumber(ARGV[3])
local at = 4
-- Arguments go to a command in portions: Lua's stack holds some 8,000.
local PORTION = 1000
local done = 0
while done < 2 * fields do
  local portion = math.min(PORTION, 2 * fields - done)
  redis.call('HSET', slot, unpack(ARGV, at + done, at + done + portion - 1))
  done = done + portion
end
at = at + 2 * fields
redis.call('PEXPIRE', slot, ttlMs)

for s = 2, #KEYS do
  if ARGV[at] ~= '' then
    redis.call('XADD', KEYS[s], ARGV[at], 's', ARGV[at + 1])
    redis.call('PEXPIRE', KEYS[s], ttlMs)
  end
  at = at + 2
end
return 1
