import { startQdrant, temporaryFolder } from "/work/main/regional/process.fixture.ts";
import { batch, put, search, startSite, DIMENSIONS } from "/work/main/regional/site.fixture.ts";
import { encodeFloats, encodeIntegers } from "/work/main/protocol/base64.ts";
import { readFileSync } from "node:fs";
const f = await temporaryFolder();
const q = await startQdrant(f.path + "/q"); const s = await startSite(f.path, [q.url]);
const rss = (p:any) => (readFileSync(`/proc/${p.child.pid}/status`,"utf8").match(/VmRSS:\s+(\d+)/)![1] as any)/1024|0;
const cpu = (p:any) => { const a = readFileSync(`/proc/${p.child.pid}/stat`,"utf8").split(" "); return (Number(a[13])+Number(a[14]))*10; };
console.log("idle rss", rss(q), rss(s));
const text = "Enhver har ret til undervisning. Undervisningen skal være gratis, i hvert fald på de elementære og grundlæggende trin. ".repeat(4);
let seq = 0; const N = Number(process.argv[2] ?? 40000);
const bodies: string[] = [];
for (let n = 0; n < N; ) { const changes = [];
  for (let i = 0; i < 400; i++) { seq++; const c: any = put({ id: "doc-" + seq, sequence: seq, residency: "eu", texts: Array(10).fill(text), metadata: { source: "x", year: 2000 + seq % 20 } });
    for (const p of c.document.passages) { const v = new Float32Array(DIMENSIONS); let l = 0; for (let j = 0; j < DIMENSIONS; j++) { v[j] = Math.random() - .5; l += v[j]! ** 2; } l = Math.sqrt(l); for (let j = 0; j < DIMENSIONS; j++) v[j]! /= l; p.dense = encodeFloats(v);
      const t = Uint32Array.from(new Set(Array.from({length: 60}, () => (Math.random() ** 3 * 30000 | 0) * 2654435 >>> 0))).sort(); p.sparse = { indices: encodeIntegers(t), values: encodeFloats(new Float32Array(t.length).fill(1.3)) }; }
    changes.push(c); n += 10; }
  bodies.push(JSON.stringify(batch(changes, { watermark: seq }))); }
console.log("batches", bodies.length, "MB each", bodies[0]!.length / 1e6);
const c0 = [cpu(q), cpu(s)]; const t0 = performance.now();
for (const b of bodies) { const r = await s.post("/internal/apply", b); if (r.status !== 200) throw new Error(JSON.stringify(r)); }
const dt = performance.now() - t0;
console.log("points/s", (N / dt * 1000) | 0, "ms", dt | 0, "cpu ms qdrant", cpu(q) - c0[0]!, "regional", cpu(s) - c0[1]!, "points per cpu second both", N/((cpu(q) - c0[0]!+cpu(s) - c0[1]!)/1000)|0, "rss", rss(q), rss(s));
const times: number[] = [];
for (let i = 0; i < 200; i++) { const v = new Float32Array(DIMENSIONS); let l = 0; for (let j = 0; j < DIMENSIONS; j++) { v[j] = Math.random() - .5; l += v[j]! ** 2; } for (let j = 0; j < DIMENSIONS; j++) v[j]! /= Math.sqrt(l);
  const idx = Uint32Array.from(new Set(Array.from({length: 6}, () => (Math.random() ** 2 * 30000 | 0) * 2654435 >>> 0))).sort();
  const t = performance.now(); const r = await s.post("/internal/search", search({ dense: encodeFloats(v), lexical: { indices: encodeIntegers(idx), values: encodeFloats(new Float32Array(idx.length).fill(2)) } })); if (r.status !== 200) throw new Error(JSON.stringify(r)); times.push(performance.now() - t); }
times.sort((a, b) => a - b); console.log("search p50", times[100], "p95", times[190], "p99", times[198]);
const t1 = performance.now(); await q.kill("SIGKILL"); const q2 = await startQdrant(f.path + "/q"); console.log("restart ms", performance.now() - t1 | 0, "rss", rss(q2), q2.lines);
console.log(await (await fetch(q2.url + "/collections/kattegat_passages/points/count", { method: "POST", body: "{}" })).text());
await q2.kill("SIGKILL"); await s.kill("SIGKILL"); await f.remove();
