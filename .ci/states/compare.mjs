// Walks every scenario of deploy/testdata/scenarios with aws-local-stepfunctions
// and compares the tasks, their inputs and the end with the transcript of our
// own engine. Scenarios with task tokens are left out: that engine has none.
import { readFileSync, readdirSync } from 'node:fs';
import { isDeepStrictEqual, inspect } from 'node:util';

// The package wants Node 22 for this alone.
Promise.withResolvers ??= () => {
  const it = {};
  it.promise = new Promise((resolve, reject) => Object.assign(it, { resolve, reject }));
  return it;
};
const { StateMachine } = await import('aws-local-stepfunctions');

const deploy = new URL('../../deploy/', import.meta.url);
const read = (path) => readFileSync(new URL(path, deploy), 'utf8');
const handler = 'arn:aws:lambda:us-east-1:123456789012:function:execution-handler';

// play answers as the script says.
function play(scenario, tasks) {
  return (resource) => (input) => {
    const invoke = resource === 'arn:aws:states:::lambda:invoke';
    const event = invoke ? input.Payload : input;
    tasks.push({ function: invoke ? input.FunctionName : resource, input: structuredClone(event) });
    const script = scenario.answers[tasks.length - 1];
    if (!script) throw new Error('the script is at its end');
    if (script.fail) throw Object.assign(new Error('as the script says'), { name: script.fail });
    const answer = script.refuse ? { ...script.refuse, state: event.state } : { ...event.state, ...script.set };
    return invoke ? { ExecutedVersion: '$LATEST', Payload: answer, StatusCode: 200 } : answer;
  };
}

async function walk(scenario) {
  const definition = JSON.parse(read(scenario.definition).replaceAll('${ExecutionHandlerArn}', handler));
  const tasks = [];
  const answers = play(scenario, tasks);
  const overrides = { taskResourceLocalHandlers: {}, waitTimeOverrides: {}, retryIntervalOverrides: {} };
  for (const [name, state] of Object.entries(definition.States)) {
    // A ResultPath of $ is the language's default. That engine takes it for a
    // field of this name, unless it is left out.
    if (state.ResultPath === '$') delete state.ResultPath;
    if (state.Type === 'Wait') overrides.waitTimeOverrides[name] = 0;
    if (state.Type !== 'Task') continue;
    overrides.taskResourceLocalHandlers[name] = answers(state.Resource);
    overrides.retryIntervalOverrides[name] = 0;
  }
  const machine = new StateMachine(definition, { validationOptions: { noValidate: true } }); // asl-validator has had its turn
  const execution = machine.run(scenario.input, { overrides });
  try {
    const output = await execution.result;
    return [...tasks, { output }];
  } catch (error) {
    const failed = error.cause ?? error;
    return [...tasks, { error: `${failed.name}: ${failed.message}` }];
  }
}

let compared = 0;
let differ = 0;
for (const file of readdirSync(new URL('testdata/scenarios/', deploy)).sort()) {
  const scenario = JSON.parse(read(`testdata/scenarios/${file}`));
  if (scenario.tokens) continue;
  const ours = read(`testdata/transcripts/${file.replace(/json$/, 'jsonl')}`).trim().split('\n').map((line) => JSON.parse(line));
  const theirs = await walk(scenario);
  compared++;
  if (isDeepStrictEqual(ours, theirs)) continue;
  differ++;
  console.error(`${file}: the engines differ\nours   ${inspect(ours, { depth: 9 })}\ntheirs ${inspect(theirs, { depth: 9 })}`);
}
console.log(`${compared} scenarios compared with aws-local-stepfunctions, ${differ} differ`);
process.exitCode = differ || compared === 0 ? 1 : 0;
