------------------------------- MODULE sluice -------------------------------
(* SPDX-License-Identifier: MIT                                            *)
(*                                                                         *)
(* One key of a storage, one upload resource and one link, served by        *)
(* several gateways that share nothing but the storage, and may die at any  *)
(* moment.  What is durable is the storage's; what a gateway knows is lost  *)
(* with it; what was told to clients is never lost, and is only here to be   *)
(* compared.                                                                *)
(*                                                                         *)
(* Actions bear the names of functions in plugins/backend/local (commit,    *)
(* writer_run, written) or of operations of the HTTP contract.  Guards can be *)
(* switched off, by the constant Broken, to see that the invariants find it. *)
EXTENDS Naturals, FiniteSets

CONSTANTS Gateways,  \* processes over one storage
          Writes,    \* writes that clients ask for; each sends other bytes
          Length,    \* of the resumable upload, in pieces
          Bound,     \* ticks until all gateways know of a revocation
          Broken     \* guards that are missing: a set of names

None == "none"
Guard(name, condition) == condition \/ name \in Broken

VARIABLES
  object,   \* durable: the write whose bytes the key has, or None
  writes,   \* write -> "asked", "queued", "stored", "told" or "refused"
  by,       \* write -> the gateway that has it
  stage,    \* durable: how many pieces the upload resource has
  epoch,    \* durable: number of its last hand-over
  holder,   \* gateway -> the epoch at which it took the resource, 0: never
  held,     \* gateway -> pieces that it believes to be durable
  buffer,   \* gateway -> pieces that it wrote and didn't sync
  toldAt,   \* the largest offset that any client was told
  number,   \* durable: the revocation number of the link's key
  revokedAt, \* ticks since the revocation was answered; Bound + 1: long ago
  answered, \* whether it was
  seen,     \* gateway -> the number that it last read
  age,      \* gateway -> ticks since then
  up,       \* gateway -> whether it runs
  served    \* whether a link that was revoked was served after its bound

objects == <<object, writes, by>>
stages == <<stage, epoch, holder, held, buffer, toldAt>>
links == <<number, revokedAt, answered, seen, age, served>>
vars == <<objects, stages, links, up>>

Init ==
  /\ object = None /\ writes = [w \in Writes |-> "asked"]
  /\ by = [w \in Writes |-> None]
  /\ stage = 0 /\ epoch = 0 /\ toldAt = 0
  /\ holder = [g \in Gateways |-> 0] /\ held = [g \in Gateways |-> 0]
  /\ buffer = [g \in Gateways |-> 0]
  /\ number = 0 /\ revokedAt = 0 /\ answered = FALSE /\ served = FALSE
  /\ seen = [g \in Gateways |-> 0] /\ age = [g \in Gateways |-> 0]
  /\ up = [g \in Gateways |-> TRUE]

---------------------------------------------------------------------------
(* A create-only write: PUT with If-None-Match, or an upload by form.       *)

commit(g, w) ==  \* the backend's commit(): bytes are synced, a task waits
  /\ up[g] /\ writes[w] = "asked"
  /\ writes' = [writes EXCEPT ![w] = "queued"]
  /\ by' = [by EXCEPT ![w] = g]
  /\ UNCHANGED <<object, stages, links, up>>

writer_run(w) ==  \* one transaction decides and stores
  /\ writes[w] = "queued" /\ up[by[w]]
  /\ IF Guard("exclusive", object = None)
     THEN /\ object' = w /\ writes' = [writes EXCEPT ![w] = "stored"]
     ELSE /\ writes' = [writes EXCEPT ![w] = "refused"] /\ UNCHANGED object
  /\ UNCHANGED <<by, stages, links, up>>

written(w) ==  \* then it is answered: 201
  /\ \/ writes[w] = "stored"
     \/ writes[w] = "queued" /\ "durable" \in Broken
  /\ up[by[w]]
  /\ writes' = [writes EXCEPT ![w] = "told"]
  /\ UNCHANGED <<object, by, stages, links, up>>

---------------------------------------------------------------------------
(* An upload resource: any gateway may be asked to go on with it.            *)

take_over(g) ==  \* HEAD or PATCH at a gateway that doesn't hold it
  /\ up[g] /\ (holder[g] # epoch \/ epoch = 0)
  /\ epoch < Cardinality(Gateways) + 1
  /\ epoch' = epoch + 1
  /\ holder' = [holder EXCEPT ![g] = epoch + 1]
  /\ held' = [held EXCEPT ![g] = stage]
  /\ buffer' = [buffer EXCEPT ![g] = 0]
  /\ UNCHANGED <<objects, stage, toldAt, links, up>>

append(g) ==  \* bytes come, and aren't synced yet
  /\ up[g] /\ holder[g] > 0 /\ held[g] + buffer[g] < Length
  /\ buffer' = [buffer EXCEPT ![g] = @ + 1]
  /\ UNCHANGED <<objects, stage, epoch, holder, held, toldAt, links, up>>

checkpoint(g) ==  \* they become durable, unless another one took over
  /\ up[g] /\ buffer[g] > 0
  /\ Guard("fence", holder[g] = epoch)
  /\ stage' = held[g] + buffer[g]
  /\ held' = [held EXCEPT ![g] = held[g] + buffer[g]]
  /\ buffer' = [buffer EXCEPT ![g] = 0]
  /\ UNCHANGED <<objects, epoch, holder, toldAt, links, up>>

tell_offset(g) ==  \* 104 or an answer; HEAD's is the same
  /\ up[g] /\ holder[g] > 0 /\ holder[g] = epoch
  /\ LET offset == IF "synced" \in Broken THEN held[g] + buffer[g]
                   ELSE held[g]
     IN toldAt' = IF offset > toldAt THEN offset ELSE toldAt
  /\ UNCHANGED <<objects, stage, epoch, holder, held, buffer, links, up>>

---------------------------------------------------------------------------
(* A link of the gateway carries the number 0 of its key.                    *)

revoke(g) ==  \* DELETE /files/links: compare-and-swap in the storage
  /\ up[g] /\ number = 0
  /\ number' = 1
  /\ seen' = [seen EXCEPT ![g] = 1] /\ age' = [age EXCEPT ![g] = 0]
  /\ UNCHANGED <<objects, stages, revokedAt, answered, served, up>>

revoked(g) ==  \* its 200
  /\ up[g] /\ number = 1 /\ seen[g] = 1 /\ ~answered
  /\ answered' = TRUE /\ revokedAt' = 0
  /\ UNCHANGED <<objects, stages, number, seen, age, served, up>>

read_numbers(g) ==
  /\ up[g] /\ (seen[g] # number \/ age[g] > 0)
  /\ seen' = [seen EXCEPT ![g] = number] /\ age' = [age EXCEPT ![g] = 0]
  /\ UNCHANGED <<objects, stages, number, revokedAt, answered, served, up>>

tick ==  \* time goes on, for everybody alike
  /\ age' = [g \in Gateways |-> IF age[g] > Bound THEN age[g]
                                ELSE age[g] + 1]
  /\ revokedAt' = IF answered /\ revokedAt <= Bound THEN revokedAt + 1
                  ELSE revokedAt
  /\ age' # age \/ revokedAt' # revokedAt
  /\ UNCHANGED <<objects, stages, number, answered, seen, served, up>>

serve(g) ==  \* GET /files/signed; 503 where the numbers are too old
  /\ up[g] /\ seen[g] = 0 /\ Guard("fresh", age[g] <= Bound)
  /\ served' = (served \/ (answered /\ revokedAt > Bound))
  /\ UNCHANGED <<objects, stages, number, revokedAt, answered, seen, age, up>>

---------------------------------------------------------------------------

crash(g) ==  \* SIGKILL: what it has in memory goes
  /\ up[g] /\ up' = [up EXCEPT ![g] = FALSE]
  /\ writes' = [w \in Writes |-> IF by[w] = g /\ writes[w] \in
                                    {"queued", "stored"}
                                 THEN "refused" ELSE writes[w]]
  /\ holder' = [holder EXCEPT ![g] = 0] /\ held' = [held EXCEPT ![g] = 0]
  /\ buffer' = [buffer EXCEPT ![g] = 0]
  /\ UNCHANGED <<object, by, stage, epoch, toldAt, links>>

start(g) ==  \* it listens only when it has read the numbers
  /\ ~up[g] /\ up' = [up EXCEPT ![g] = TRUE]
  /\ seen' = [seen EXCEPT ![g] = IF "start" \in Broken THEN 0 ELSE number]
  /\ age' = [age EXCEPT ![g] = 0]
  /\ UNCHANGED <<objects, stages, number, revokedAt, answered, served>>

Life == \E g \in Gateways : crash(g) \/ start(g)

Objects ==
  \/ \E g \in Gateways, w \in Writes : commit(g, w)
  \/ \E w \in Writes : writer_run(w) \/ written(w)

Stages == \E g \in Gateways :
  take_over(g) \/ append(g) \/ checkpoint(g) \/ tell_offset(g)

Links ==
  \/ \E g \in Gateways :
       revoke(g) \/ revoked(g) \/ read_numbers(g) \/ serve(g)
  \/ tick

(* The parts share nothing but the gateways' lives, so each is checked with
   those alone; Whole is their product, for who has the time.               *)
ObjectSpec == Init /\ [][Objects \/ Life]_vars
StageSpec == Init /\ [][Stages \/ Life]_vars
LinkSpec == Init /\ [][Links \/ Life]_vars
Whole == Init /\ [][Objects \/ Stages \/ Links \/ Life]_vars

---------------------------------------------------------------------------

NothingAcknowledgedIsLost ==
  \A w \in Writes : writes[w] = "told" => object = w

OneWinner == Cardinality({w \in Writes : writes[w] = "told"}) <= 1

NoToldOffsetIsTakenBack == stage >= toldAt

RevokedLinkIsNotServedAfterItsBound == ~served

=============================================================================
