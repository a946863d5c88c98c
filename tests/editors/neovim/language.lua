-- Run by `nvim --headless --clean -l language.lua CONFIGURATION FOLDER`: what the source alone tells,
-- through the functions that a user's keys are bound to. Prints one line of JSON.
local configuration, folder = _G.arg[1], _G.arg[2]
local TIMEOUT_MS = 20000

local function wait_for(what, condition)
  if not vim.wait(TIMEOUT_MS, condition, 10) then
    error("timed out: " .. what)
  end
end

vim.g.maplocalleader = ","
vim.o.hidden = true
dofile(configuration)
vim.cmd.edit(folder .. "/main.lua")
vim.bo.filetype = "lua"
local buffer = vim.api.nvim_get_current_buf()
wait_for("the client", function()
  local client = vim.lsp.get_clients({ bufnr = buffer })[1]
  return client and client.initialized
end)

local seen = {}
local function lines(of) return vim.api.nvim_buf_get_lines(of, 0, -1, true) end

-- Definition, in a file that is not open.
vim.api.nvim_win_set_cursor(0, { 5, 8 })
vim.lsp.buf.definition()
wait_for("the definition", function() return vim.api.nvim_get_current_buf() ~= buffer end)
seen.definition = { vim.fn.expand("%:t"), unpack(vim.api.nvim_win_get_cursor(0)) }
local module = vim.api.nvim_get_current_buf()
vim.api.nvim_set_current_buf(buffer)

-- Highlights, and how they are told apart.
-- The emoji before it has four bytes.
local column = lines(buffer)[3]:find("sum") - 1
vim.api.nvim_win_set_cursor(0, { 3, column })
vim.lsp.buf.document_highlight()
local function highlights()
  local found = {}
  for name, space in pairs(vim.api.nvim_get_namespaces()) do
    if name:find("references") then
      for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(buffer, space, 0, -1, { details = true })) do
        found[#found + 1] = { mark[2], mark[3], mark[4].hl_group }
      end
    end
  end
  return found
end
wait_for("the highlights", function() return #highlights() > 0 end)
seen.highlights = highlights()

-- Semantic tokens of a parameter and of a global function.
local function token(row, column)
  local there = vim.lsp.semantic_tokens.get_at_pos(buffer, row, column)
  return there and there[1]
end
wait_for("the tokens", function() return token(2, column) end)
local function shown(at) return { at.type, vim.tbl_keys(at.modifiers) } end
seen.tokens = { shown(token(2, column)), shown(token(2, lines(buffer)[3]:find("print") - 1)) }

-- Rename: a local here, then a field of the module in all files.
vim.lsp.buf.rename("amount")
wait_for("the rename", function() return lines(buffer)[3]:find("amount") end)
vim.api.nvim_win_set_cursor(0, { 5, 8 })
vim.lsp.buf.rename("twofold")
wait_for("the other rename", function() return lines(buffer)[5]:find("twofold") end)
seen.renamed, seen.renamed_module = lines(buffer), lines(module)

-- Folds.
vim.wo.foldmethod, vim.wo.foldexpr = "expr", "v:lua.vim.lsp.foldexpr()"
wait_for("the folds", function() return vim.fn.foldlevel(3) > 0 end)
seen.folds = vim.tbl_map(vim.fn.foldlevel, { 1, 2, 3, 4, 5 })

-- The outline.
local client = vim.lsp.get_clients({ bufnr = buffer })[1]
local document = { textDocument = vim.lsp.util.make_text_document_params(buffer) }
local answer = client:request_sync("textDocument/documentSymbol", document, TIMEOUT_MS, buffer)
seen.outline = vim.tbl_map(function(symbol) return symbol.name end, answer.result)
io.stdout:write(vim.json.encode(seen), "\n")
client:stop()
wait_for("the end of the server", function() return client:is_stopped() end)
