"""Runs a command on a terminal of its own: terminal.py FOLDER 'expected text' 'what is typed' ... -- COMMAND ...

Whenever the next expected text was shown, what belongs to it is typed ('^D' and '^C' are those keys). Prints all that was
shown, and ends with the command's code."""

import os, pty, select, signal, sys, time

folder, rest = sys.argv[1], sys.argv[2:]
at = rest.index("--")
script, command = list(zip(rest[:at:2], rest[1:at:2])), rest[at + 1 :]
pid, terminal = pty.fork()
if pid == 0:
    os.chdir(folder)
    os.environ["TERM"] = "xterm"
    os.execv(command[0], command)
shown, seen, end = b"", 0, time.time() + 60
while time.time() < end:
    if script and script[0][0].encode() in shown[seen:]:
        seen = len(shown)
        typed = script.pop(0)[1]
        os.write(terminal, {"^D": b"\x04", "^C": b"\x03"}.get(typed, typed.encode() + b"\r"))
    if select.select([terminal], [], [], 0.1)[0]:
        try:
            read = os.read(terminal, 4096)
        except OSError:
            read = b""
        if not read:
            break
        shown += read
else:
    os.kill(pid, signal.SIGKILL)
sys.stdout.buffer.write(shown)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) % 256)
