;;; Run by `emacs -q --batch -l evaluate.el CONFIGURATION FOLDER`: evaluates a buffer with eglot, and
;;; prints what the user would see as one line of JSON.  -*- lexical-binding: t -*-

(require 'package)
(package-initialize)
(require 'json)
(require 'lua-mode)
(setq eglot-sync-connect 30
      eglot-connect-timeout 60
      flymake-no-changes-timeout 0.1
      eglot-send-changes-idle-time 0.05
      eglot-autoshutdown nil
      make-backup-files nil
      create-lockfiles nil)

(defvar seen nil "What the user would see, by name.")
(defun see (name value) (push (cons name value) seen))

(defun wait-for (what condition)
  "Wait until CONDITION, a function, is true; WHAT is for the message."
  (let ((end (+ (float-time) 30)))
    (while (not (funcall condition))
      (when (> (float-time) end) (error "timed out: %s" what))
      (accept-process-output nil 0.02))))

(let* ((configuration (pop command-line-args-left))
       (folder (file-name-as-directory (pop command-line-args-left))))
  (load configuration nil t)
  (make-directory (expand-file-name ".git" folder) t)
  (find-file (expand-file-name "main.lua" folder))
  (lua-mode)
  (run-hooks 'post-command-hook)
  (wait-for "the server"
            (lambda () (and (eglot-current-server) (bound-and-true-p eglot--managed-mode)))))

(defun messages ()
  "The texts of the buffer's diagnostics, with their lines."
  (mapcar (lambda (d) (format "%d %s" (line-number-at-pos (flymake-diagnostic-beg d))
                              (replace-regexp-in-string
                               "\\`lua-persist \\[.*?\\]: " ""
                               (car (split-string (flymake-diagnostic-text d) "\n")))))
          (sort (flymake-diagnostics)
                (lambda (a b) (< (flymake-diagnostic-beg a) (flymake-diagnostic-beg b))))))

(defun run (command &rest params)
  "The result of a command of the server."
  (jsonrpc-request (eglot-current-server) :workspace/executeCommand
                   (list :command (concat "lua-persist." command)
                         :arguments (vector (or params (make-hash-table))))))

(defun text-of (evaluation) (plist-get evaluation :text))

;; A file by its key of the configuration: the result is shown.
(lua-persist-evaluate-file)
(wait-for "the results" (lambda () (flymake-start)
                          (seq-find (lambda (text) (string-match-p "count" text)) (messages))))
(see 'shown (vconcat (messages)))
(see 'count (text-of (run "evaluateText" :text "Memory.count")))

;; What the value of the name under the cursor is.
(goto-char (point-min))
(search-forward "function greet")
(backward-char 2)
(see 'hover (let ((hover (jsonrpc-request (eglot-current-server) :textDocument/hover
                                          (eglot--TextDocumentPositionParams))))
              (substring-no-properties
               (eglot--hover-info (plist-get hover :contents) (plist-get hover :range)))))

;; What can be called on.
(goto-char (point-max))
(insert "\nreturn users.ann.na")
(let ((found (eglot-completion-at-point)))
  (see 'completion
       (vconcat (mapcar #'substring-no-properties
                        (all-completions "na" (nth 2 found))))))
(delete-region (line-beginning-position) (point-max))

;; What can be done here, and doing it.
(goto-char (point-max))
(insert "return 6 * 7")
(eglot--signal-textDocument/didChange)
(let* ((actions (jsonrpc-request
                 (eglot-current-server) :textDocument/codeAction
                 (list :textDocument (eglot--TextDocumentIdentifier)
                       :range (list :start (eglot--pos-to-lsp-position (point))
                                    :end (eglot--pos-to-lsp-position (point)))
                       :context (list :diagnostics []))))
       (titles (mapcar (lambda (action) (plist-get action :title)) actions))
       (form (seq-find (lambda (action) (equal (plist-get action :title) "Evaluate Top-Level Form"))
                       actions))
       (command (plist-get form :command)))
  (see 'actions (vconcat titles))
  (eglot-execute-command (eglot-current-server) (plist-get command :command)
                         (plist-get command :arguments)))
(wait-for "the value" (lambda () (flymake-start)
                        (seq-find (lambda (text) (string-match-p "=> 42" text)) (messages))))

;; A query, as a command.
(let ((page (run "query" :table "users" :where ["age" ">" 40])))
  (see 'rows (vconcat (mapcar (lambda (row) (plist-get (plist-get row :key) :content))
                              (plist-get page :rows)))))

;; An error where it belongs.
(erase-buffer)
(insert "local y = 1\nreturn missing.field\n")
(eglot--signal-textDocument/didChange)
(lua-persist-evaluate-file)
(wait-for "the error" (lambda () (flymake-start)
                        (seq-find (lambda (text) (string-match-p "nil value" text)) (messages))))
(see 'errors (vconcat (messages)))

(set-buffer-modified-p nil)
(eglot-shutdown (eglot-current-server))
(princ (concat (json-encode seen) "\n"))
