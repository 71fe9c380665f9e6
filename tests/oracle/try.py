import sys, traceback, tempfile, json, collections, io, contextlib, time
from pathlib import Path
sys.path.insert(0, "tests/oracle")
import exact, rewritten
from scalars import scalar
import budgets
ORACLE={"budget":budgets.check,"exact":exact.check,"dressed":rewritten.dressed,"world":rewritten.world}[sys.argv.pop(1)]
MAKERS={"heat":lambda s: scalar(s,"heat"),"diffusion":lambda s: scalar(s,"diffusion")}
try:
    from solids import solid
    for g in ("solid","plane_strain","plane_stress","axisymmetric","bar","thermo"): MAKERS[g]=lambda s,g=g: solid(s,g)
except ImportError: pass
if ORACLE is budgets.check: MAKERS={"heat":budgets.heat,"steady":budgets.steady,"cure":budgets.cure}
fams=sys.argv[1].split(",") if sys.argv[1]!="all" else list(MAKERS); a,b=int(sys.argv[2]),int(sys.argv[3])
out=collections.Counter(); t0=time.time()
for s in range(a,b):
  for f in fams:
    try: c=MAKERS[f](s)
    except RuntimeError: out["skip"]+=1; continue
    try:
        with tempfile.TemporaryDirectory() as d, contextlib.redirect_stdout(io.StringIO()):
            w=ORACLE(c,Path(d))
    except Exception as e:
        out[f+" error"]+=1
        print("ERR",f,s,type(e).__name__,str(e)[:300].replace("\n"," | "))
        if len(sys.argv)>4: traceback.print_exc(); print(json.dumps(exact.deck_of(c),indent=1))
        continue
    out[f+(" ok" if not w else " WRONG")]+=1
    if w:
        print("WRONG",f,s,c.body.cell,"p",c.degree,"file" if c.body.file else "","split" if c.body.split else "",w[:3])
        if len(sys.argv)>4: print(json.dumps(exact.deck_of(c),indent=1)); print(w)
print(dict(out), time.time()-t0)
