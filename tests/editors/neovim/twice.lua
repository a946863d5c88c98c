-- Run by `nvim --headless --clean -c "luafile twice.lua"` with CONFIGURATION and FOLDER in the
-- environment: evaluates a buffer with functions that old and new versions have, and writes what the user would
-- see to standard output as one line of JSON.
local configuration, folder = vim.env.CONFIGURATION, vim.env.FOLDER
local TIMEOUT_MS = 20000

local function wait_for(what, condition)
  if not vim.wait(TIMEOUT_MS, condition, 10) then
    error("timed out: " .. what)
  end
end

local function main()
  vim.g.maplocalleader = ","
  dofile(configuration)
  vim.cmd("edit " .. folder .. "/main.lua")
  vim.bo.filetype = "lua"
  local buffer = vim.api.nvim_get_current_buf()
  local uri = vim.uri_from_bufnr(buffer)
  local seen = {}

  local function ask(method, params)
    local answers, failure = vim.lsp.buf_request_sync(buffer, method, params, TIMEOUT_MS)
    assert(answers, failure)
    local _, answer = next(answers)
    assert(answer and not answer.error, vim.inspect(answer))
    return answer.result
  end
  local function run(command, params)
    return ask("workspace/executeCommand", {
      command = "lua-persist." .. command,
      arguments = { params or vim.empty_dict() },
    })
  end
  local function messages()
    local found = {}
    for _, d in ipairs(vim.diagnostic.get(buffer)) do
      found[#found + 1] = ("%d %s"):format(d.lnum + 1, d.message)
    end
    -- Old versions know no inlay hints; they get diagnostics instead.
    for _, entry in ipairs(vim.lsp.inlay_hint and vim.lsp.inlay_hint.get({ bufnr = buffer }) or {}) do
      local hint = entry.inlay_hint
      found[#found + 1] = ("%d %s"):format(hint.position.line + 1, hint.label)
    end
    table.sort(found)
    return found
  end
  local function saw(text)
    return function() return table.concat(messages(), "\n"):find(text, 1, true) end
  end
  local function place(row, column)
    return { textDocument = { uri = uri }, position = { line = row, character = column } }
  end

  wait_for("the client", function()
    local _, client = next(vim.lsp.buf_get_clients(buffer))
    return client and client.initialized
  end)

  -- A file by its keys: the result is shown.
  vim.cmd("normal ,ef")
  wait_for("the results", saw("count"))
  seen.shown = messages()
  seen.count = run("evaluateText", { text = "Memory.count" }).text

  seen.hover = ask("textDocument/hover", place(1, 11)).contents.value
  local last = vim.api.nvim_buf_line_count(buffer)
  vim.api.nvim_buf_set_lines(buffer, last, last, true, { "return users.ann.na" })
  local completion = ask("textDocument/completion", place(last, 19))
  seen.completion = vim.tbl_map(function(item) return item.label end, completion.items or completion)
  vim.api.nvim_buf_set_lines(buffer, last, last + 1, true, { "return 6 * 7" })

  local range = { start = { line = last, character = 0 }, ["end"] = { line = last, character = 0 } }
  local actions = ask("textDocument/codeAction", {
    textDocument = { uri = uri },
    range = range,
    context = { diagnostics = {} },
  })
  seen.actions = vim.tbl_map(function(action) return action.title end, actions)
  for _, action in ipairs(actions) do
    if action.title == "Evaluate Top-Level Form" then
      ask("workspace/executeCommand", {
        command = action.command.command,
        arguments = action.command.arguments,
      })
    end
  end
  wait_for("the value", saw("=> 42"))

  vim.lsp.codelens.refresh()
  wait_for("the lenses", function() return #vim.lsp.codelens.get(buffer) > 0 end)
  seen.lenses = vim.tbl_map(function(lens)
    return lens.command.title
  end, vim.lsp.codelens.get(buffer))

  local page = run("query", { table = "users", where = { "age", ">", 40 } })
  seen.rows = vim.tbl_map(function(row) return row.key.content end, page.rows)

  vim.api.nvim_buf_set_lines(buffer, 0, -1, true, { "local y = 1", "return missing.field" })
  vim.cmd("normal ,ef")
  wait_for("the error", saw("nil value"))
  seen.errors = messages()

  vim.lsp.stop_client(vim.lsp.get_active_clients())
  wait_for("the end of the server", function() return #vim.lsp.get_active_clients() == 0 end)
  return seen
end

local fine, seen = xpcall(main, debug.traceback)
if fine then
  io.stdout:write(vim.json.encode(seen), "\n")
  vim.cmd("qall!")
else
  io.stderr:write(seen, "\n")
  vim.cmd("cquit 1")
end
