--[[
  Drops an owner's summaries below an offset and remembers how far; never goes backwards. An entry that also has later ones
  stays: its readers pass over those that are below.

  KEYS  1  the slot's hash
        2  the owner's stream of summaries
  ARGV  1  field of the owner's mark
        2  offset below which summaries go

  Output  1 trimmed; 0 there is no slot, or it had been trimmed that far
]]
local slot, stream = KEYS[1], KEYS[2]
local field, below = ARGV[1], ARGV[2]
if redis.call('HEXISTS', slot, '@position') == 0 then
  return 0
end
local trimmedTo = tonumber(redis.call('HGET', slot, field) or '0')
if tonumber(below) <= trimmedTo then
  return 0
end
redis.call('HSET', slot, field, below)
redis.call('XTRIM', stream, 'MINID', below .. '-0')
return 1
