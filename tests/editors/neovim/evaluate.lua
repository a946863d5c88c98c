-- Run by `nvim --headless --clean -l evaluate.lua CONFIGURATION FOLDER`: evaluates a buffer with the
-- real client, and prints what the user would see as one line of JSON.
local configuration, folder = _G.arg[1], _G.arg[2]
local TIMEOUT_MS = 20000

local function wait_for(what, condition)
  if not vim.wait(TIMEOUT_MS, condition, 10) then
    error("timed out: " .. what)
  end
end

vim.g.maplocalleader = ","
dofile(configuration)

vim.cmd.edit(folder .. "/main.lua")
vim.bo.filetype = "lua"
local buffer = vim.api.nvim_get_current_buf()

wait_for("the client", function()
  local client = vim.lsp.get_clients({ bufnr = buffer })[1]
  return client and client.initialized
end)
local client = vim.lsp.get_clients({ bufnr = buffer })[1]

local function run(command, params)
  local answer = client:request_sync(
    "workspace/executeCommand",
    { command = "lua-persist." .. command, arguments = { params } },
    TIMEOUT_MS,
    buffer
  )
  assert(answer and not answer.err, vim.inspect(answer))
  return answer.result
end

local function hints()
  local labels = {}
  for _, entry in ipairs(vim.lsp.inlay_hint.get({ bufnr = buffer })) do
    labels[#labels + 1] = { line = entry.inlay_hint.position.line, label = entry.inlay_hint.label }
  end
  table.sort(labels, function(a, b) return a.line < b.line end)
  return labels
end

-- Something else than the mark of what still runs.
local function has_results()
  local labels = hints()
  return #labels > 0 and not vim.tbl_contains(vim.tbl_map(function(hint) return hint.label end, labels), "…")
end

local function diagnostics()
  local found = {}
  for _, d in ipairs(vim.diagnostic.get(buffer)) do
    found[#found + 1] = { line = d.lnum, col = d.col, end_col = d.end_col, message = d.message }
  end
  return found
end

local seen = { encoding = client.offset_encoding, server = client.server_info }

-- The whole buffer: an error, and what was printed before it.
local uri = vim.uri_from_bufnr(buffer)
seen.failed = run("evaluateFile", { uri = uri }).ok
wait_for("the diagnostic", function() return #vim.diagnostic.get(buffer) > 0 end)
wait_for("the hint", has_results)
seen.diagnostics, seen.hints = diagnostics(), hints()

-- Mend the line; then the whole buffer by its code lens.
vim.api.nvim_buf_set_lines(buffer, 2, 3, true, { "return answer" })
wait_for("no diagnostic", function() return #vim.diagnostic.get(buffer) == 0 end)
vim.lsp.codelens.refresh({ bufnr = buffer })
wait_for("the lenses", function() return #vim.lsp.codelens.get(buffer) > 0 end)
vim.api.nvim_win_set_cursor(0, { 1, 0 })
seen.lenses = vim.tbl_map(function(lens) return lens.command.title end, vim.lsp.codelens.get(buffer))
local lens = vim.lsp.codelens.get(buffer)[1]
client:exec_cmd(lens.command, { bufnr = buffer })
wait_for("the result", function() return #hints() > 1 end)
seen.mended_hints = hints()

-- The keys of the configuration: a form, a selection.
vim.api.nvim_win_set_cursor(0, { 1, 3 })
vim.cmd.normal(",ee")
wait_for("the form's mark", function() return hints()[1].label == "✓" end)
vim.api.nvim_win_set_cursor(0, { 1, 9 })
vim.cmd.normal("vl,ee")
wait_for("the selection's value", function() return hints()[1].label == "=> 42" end)
seen.by_keys = hints()

-- A syntax error as it is typed.
vim.api.nvim_buf_set_lines(buffer, 2, 3, true, { "return return" })
wait_for("the syntax error", function() return #vim.diagnostic.get(buffer) > 0 end)
seen.syntax = diagnostics()

io.stdout:write(vim.json.encode(seen), "\n")
client:stop()
wait_for("the end of the server", function() return client:is_stopped() end)
