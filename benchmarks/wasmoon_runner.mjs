// Runs benchmark programs on wasmoon, one Lua state a program, and times them.
//
// The requests and answers are those of native_runner.c. The only argument is the folder whose
// node_modules has wasmoon.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const { LuaFactory } = createRequire(join(process.argv[2], 'runner.js'))('wasmoon')
const factory = new LuaFactory()
const engines = new Map()

async function load(name, path) {
    const lua = await factory.createEngine()
    lua.global.set('bench_source', readFileSync(path, 'utf8'))
    lua.doStringSync(`bench_program = assert(load(bench_source, '=${name}'))`)
    engines.set(name, lua)
    return ['ok']
}

function run(name) {
    const lua = engines.get(name)
    lua.doStringSync('collectgarbage()')
    const cpuBefore = process.cpuUsage()
    const before = performance.now()
    const result = lua.doStringSync('return bench_program()')
    const wall_s = (performance.now() - before) / 1e3
    const cpu = process.cpuUsage(cpuBefore)
    // doStringSync leaves its results on the Lua stack.
    lua.global.setTop(0)
    return ['ok', wall_s, (cpu.user + cpu.system) / 1e6, result]
}

function close(name) {
    engines.get(name).global.close()
    engines.delete(name)
    return ['ok']
}

const verbs = { load, run, close }

for await (const line of createInterface({ input: process.stdin })) {
    const [verb, ...operands] = line.split('\t')
    let answer
    try {
        answer = await verbs[verb](...operands)
    } catch (error) {
        answer = ['error', String(error.message ?? error).replace(/\s+/g, ' ')]
    }
    process.stdout.write(answer.join('\t') + '\n')
}
