--[[
  Reads of one state of a slot what the owner of some models needs for its next cut.

  KEYS  1  the slot's hash
        2  the owner's stream of summaries
  ARGV  1  field of the owner's mark
        2  offset from which on summaries are wanted

  Output  position, log time, trimmed to (nil: never), entries of the stream; nil: there is no slot
]]
local slot, stream = KEYS[1], KEYS[2]
local meta = redis.call('HMGET', slot, '@position', '@logTime', ARGV[1])
if not meta[1] then
  return nil
end
return {meta[1], meta[2], meta[3], redis.call('XRANGE', stream, ARGV[2] .. '-0', '+')}
