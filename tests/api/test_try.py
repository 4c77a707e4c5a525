import random, time
from tests.api.calls import *
async def test_slow(ann, engine):
    if engine=="postgres": return
    ch=random.Random(1)
    n=9000
    words="jazz night the fee a b c d".split()
    text=" ".join(ch.choice(words) for _ in range(200_000))
    def edited(t, k):
        ws=t.split(" ")
        for _ in range(k): ws[ch.randrange(len(ws))]=ch.choice(words)+"x"
        return " ".join(ws)
    base=list(range(n)); sh=base[:]; ch.shuffle(sh); sh2=base[:]; ch.shuffle(sh2)
    bits=[ch.choice("ab") for _ in range(n)]; bits2=[ch.choice("ab") for _ in range(n)]; bits3=[ch.choice("ab") for _ in range(n)]
    ids=[{"id":i} for i in range(n//2)]; ids2=ids[:]; ch.shuffle(ids2); ids3=ids[:]; ch.shuffle(ids3)
    objs=[{"v":i} for i in range(n//2)]; objs2=objs[:]; ch.shuffle(objs2); objs3=objs[:]; ch.shuffle(objs3)
    chars="".join(ch.choice("ab") for _ in range(300_000)); chars2="".join(ch.choice("ab") for _ in range(300_000)); chars3="".join(ch.choice("ab") for _ in range(300_000))
    w1=" ".join(ch.choice("ab") for _ in range(100_000)); w2=" ".join(ch.choice("ab") for _ in range(100_000)); w3=" ".join(ch.choice("ab") for _ in range(100_000))
    lines=["\n".join(ch.choice("ab") for _ in range(100_000)) for _ in range(3)]
    for name,a,b,c in [("ints",base,sh,sh2),("bits",bits,bits2,bits3),("ids",ids,ids2,ids3),("objs",objs,objs2,objs3),("text",text,edited(text,2000),edited(text,2000)),("chars",chars,chars2,chars3),("words",w1,w2,w3),("lines",*lines),("grow",[],[1]*n,[2]*n),("objsv",[{"v":1}]*(n//2),[{"v":i%3} for i in range(n//2)],[{"v":i%5} for i in range(n//2)])]:
        d=await ann.open({"x":a},another=True)
        t=time.time(); r=await ann.tries(d,data={"x":b},based_on=1,device="mac"); t1=time.time()-t
        t=time.time(); r2=await ann.tries(d,data={"x":c},based_on=1,device="ipad"); t2=time.time()-t
        t=time.time(); r3=await ann.asks("POST",d["id"]+"/undo",json={"version":2}); t3=time.time()-t
        print("%-6s %6.2f %6.2f %6.2f"%(name,t1,t2,t3), r.status_code,r2.status_code,r3.status_code, len(r2.content),flush=True)
    # many changes on lists by id
    d=await ann.open({"x":ids},another=True)
    for op in ([add("/x/0",{"id":f"n{i}"}) for i in range(1000)],[replace(f"/x/id:{i}",{"id":i,"z":1}) for i in range(1000)],[move(f"/x/id:{i}","/x/0") for i in range(1000)],[copy("/x","/y"),*[copy("/y","/y")]*900],[copy("","/y"),remove("/y")]*500):
        t=time.time(); r=await ann.tries(d,*op); print("ops %.2f"%(time.time()-t), r.status_code)
