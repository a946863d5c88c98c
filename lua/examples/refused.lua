-- What has no stored form is refused where it is assigned, with the way to it; nothing is stored.

local jobs = { ready = { "clean up" } }
jobs.running = { main = coroutine.create(function() end) }

local ok, message = pcall(function() Memory.jobs = jobs end)
print(message:match("Memory.*")) -- expect: Memory.jobs.running.main: cannot persist a coroutine
print(Memory.jobs, jobs.ready[1]) -- expect: nil	clean up

Memory.jobs = jobs
-- expect error: 10 Memory.jobs.running.main: cannot persist a coroutine
