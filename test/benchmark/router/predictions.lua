-- Predictions for wrk. Arguments after --: path, bytes of a body, predictions a second (0: as many as go), connections,
-- names of users, separated by commas. Prints one line that begins with "figures" and goes on in JSON.

local requests = {}
local nextRequest = 0
local pauseMs = 0

function init(args)
  local path, users = args[1], args[5]
  local bytes, perSecond, connections = tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
  local head, tail = '{"inputs":[{"name":"x","shape":[1,64],"datatype":"FP32","data":"', '"}]}'
  local body = head .. string.rep("x", math.max(0, bytes - #head - #tail)) .. tail
  -- Long bodies are kept a few times only: a thousand of them would not fit.
  local requestsMax = bytes > 10000 and 10 or 1000
  for user in string.gmatch(users, "[^,]+") do
    if #requests == requestsMax then break end
    local headers = { ["content-type"] = "application/json", ["x-user-id"] = user }
    requests[#requests + 1] = wrk.format("POST", path, headers, body)
  end
  if perSecond > 0 then pauseMs = 1000 * connections / perSecond end
  math.randomseed(1)
end

function request()
  nextRequest = nextRequest % #requests + 1
  return requests[nextRequest]
end

-- wrk waits before each request: the same on average, but at random, so that connections do not fall into step.
function delay()
  return math.floor(math.random() * 2 * pauseMs + 0.5)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'figures {"requests":%d,"seconds":%.6f,"failed":%d,"p50Us":%.1f,"p99Us":%.1f}\n',
    summary.requests,
    summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50),
    latency:percentile(99)
  ))
end
