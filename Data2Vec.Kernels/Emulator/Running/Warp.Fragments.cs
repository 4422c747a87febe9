using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// Lanes that parted. A fragment is a set of lanes with one program counter. Where lanes part, a token remembers where
/// they are to meet and how many fragments are on their way there; the last to arrive goes on for all. This is the
/// stack of reconvergence points as a tree, so that fragments of different branches can take turns: one that waits in a
/// warp-level exchange does not keep the lanes that it waits for from coming.
/// </summary>
internal sealed unsafe partial class Warp
{
    private readonly Fragment[] fragments = new Fragment[Lanes.Count + 1];
    private Token[] tokens = new Token[64];
    private int fragmentCount, tokenCount, freeTokens;

    /// <summary>Lanes have gone on from a meeting point before all had come to it.</summary>
    private bool loosened;

    /// <summary>What a fragment waits for.</summary>
    internal enum FragmentState : byte
    {
        Ready,

        /// <summary>Other lanes of the warp.</summary>
        AtExchange,

        /// <summary>Other warps.</summary>
        AtBarrier,
    }

    internal struct Fragment
    {
        public int Pc, Token;
        public uint Mask, Members;
        public FragmentState State;

        /// <summary>Number of the barrier.</summary>
        public int Barrier;
    }

    private struct Token
    {
        /// <summary>Where to meet; -1 for nowhere.</summary>
        public int Pc;

        public int Parent;

        /// <summary>Fragments (or further tokens) that have not arrived.</summary>
        public int Pending;

        public uint Arrived;
    }

    private void AddFragment(int pc, uint mask, int token) =>
        fragments[fragmentCount++] = new Fragment { Pc = pc, Mask = mask, Token = token };

    private void RemoveFragment(int index) => fragments[index] = fragments[--fragmentCount];

    private int NewToken(int pc, int parent, int pending)
    {
        var index = freeTokens;
        if (index != 0) freeTokens = tokens[index].Parent;
        else
        {
            if (tokenCount == tokens.Length) Array.Resize(ref tokens, 2 * tokenCount);
            index = tokenCount++;
        }
        tokens[index] = new Token { Pc = pc, Parent = parent, Pending = pending };
        return index;
    }

    private void FreeToken(int index)
    {
        tokens[index].Pc = int.MinValue;
        tokens[index].Arrived = 0;
        tokens[index].Parent = freeTokens;
        freeTokens = index;
    }

    /// <summary>A fragment of a token is no more: it arrived, or all its threads ended.</summary>
    private void Leave(int token)
    {
        while (token != 0)
        {
            if (--tokens[token].Pending > 0) return;
            var (pc, arrived, parent) = (tokens[token].Pc, tokens[token].Arrived, tokens[token].Parent);
            FreeToken(token);
            if (arrived != 0)
            {
                AddFragment(pc, arrived, parent);
                return;
            }
            token = parent;
        }
    }

    /// <summary>
    /// Lanes of a fragment go different ways; the fragment keeps the first way that is not the meeting point.
    /// </summary>
    /// <param name="index">The fragment.</param>
    /// <param name="meet">Where the ways meet.</param>
    /// <param name="targets">Where each way leads.</param>
    /// <param name="masks">Its lanes.</param>
    /// <param name="ways">Two or more.</param>
    private void Part(int index, int meet, int* targets, uint* masks, int ways)
    {
        Block.Counters.Divergences++;
        var token = fragments[index].Token;
        var goal = tokens[token].Pc;
        if (meet >= 0 && meet != goal)
        {
            token = NewToken(meet, token, 1);
            goal = meet;
        }
        var kept = false;
        for (var n = 0; n < ways; n++)
        {
            if (targets[n] == goal) tokens[token].Arrived |= masks[n];
            else if (!kept)
            {
                fragments[index] = new Fragment { Pc = targets[n], Mask = masks[n], Token = token };
                kept = true;
            }
            else
            {
                tokens[token].Pending++;
                AddFragment(targets[n], masks[n], token);
            }
        }
    }

    /// <summary>Lanes that arrived go on without the others, which wait for them in an exchange.</summary>
    private bool LetArrivedGoOn()
    {
        var any = false;
        for (var t = 1; t < tokenCount; t++)
        {
            if (tokens[t].Arrived == 0) continue;
            AddFragment(tokens[t].Pc, tokens[t].Arrived, tokens[t].Parent);
            tokens[t].Arrived = 0;
            if (tokens[t].Parent != 0) tokens[tokens[t].Parent].Pending++;
            any = true;
        }
        return any;
    }

    /// <summary>Runs exchanges for which all lanes have come.</summary>
    private bool FinishExchanges()
    {
        for (var f = 0; f < fragmentCount; f++)
        {
            if (fragments[f].State != FragmentState.AtExchange) continue;
            var (members, i) = (fragments[f].Members & Alive, code[fragments[f].Pc]);
            uint here = 0, elsewhere = 0;
            for (var g = 0; g < fragmentCount; g++)
            {
                if (fragments[g].State != FragmentState.AtExchange || (fragments[g].Members & Alive) != members)
                    continue;
                if (fragments[g].Pc == fragments[f].Pc) here |= fragments[g].Mask;
                else if (code[fragments[g].Pc].Statement.Opcode == i.Statement.Opcode) elsewhere |= fragments[g].Mask;
            }
            // Waiting alone (bar.warp.sync) may be done at different places; values are exchanged at one.
            var complete = (members & ~here) == 0
                || (i.Class == InstructionClass.Barrier && (members & ~(here | elsewhere)) == 0);
            if (!complete) continue;
            Pc = fragments[f].Pc;
            if (i.Flow is Flow.Barrier or Flow.WholeWarp)
            {
                if (!Join(f)) continue;
                return true;
            }
            Clock++;
            i.Step(this, i, here);
            for (var g = fragmentCount - 1; g >= 0; g--)
            {
                if (fragments[g].State != FragmentState.AtExchange || (fragments[g].Members & Alive) != members)
                    continue;
                if (fragments[g].Pc != Pc && (i.Class != InstructionClass.Barrier
                    || code[fragments[g].Pc].Statement.Opcode != i.Statement.Opcode)) continue;
                fragments[g].State = FragmentState.Ready;
                fragments[g].Pc++;
            }
            return true;
        }
        return false;
    }

    /// <summary>Fragments that stand at one instruction become one, if they are to meet at the same place.</summary>
    private bool Join(int index)
    {
        ref var kept = ref fragments[index];
        for (var f = 0; f < fragmentCount; f++)
        {
            if (fragments[f].State == FragmentState.AtExchange && fragments[f].Pc == kept.Pc
                && fragments[f].Token != kept.Token)
                return false;
        }
        for (var f = fragmentCount - 1; f > index; f--)
        {
            if (fragments[f].State != FragmentState.AtExchange || fragments[f].Pc != kept.Pc) continue;
            kept.Mask |= fragments[f].Mask;
            tokens[kept.Token].Pending--;
            RemoveFragment(f);
        }
        kept.State = FragmentState.Ready;
        loosened = false;
        return true;
    }

    /// <summary>A barrier was passed: fragments at it go on.</summary>
    /// <param name="barrier">Its number.</param>
    /// <param name="result">What a reduction gives; each fragment puts it where its instruction says.</param>
    public void Release(int barrier, uint result)
    {
        for (var f = 0; f < fragmentCount; f++)
        {
            ref var fragment = ref fragments[f];
            if (fragment.State != FragmentState.AtBarrier || fragment.Barrier != barrier) continue;
            var i = code[fragment.Pc];
            switch ((BarrierKind)i.Count)
            {
                case BarrierKind.Count:
                    for (var rest = fragment.Mask; rest != 0; rest &= rest - 1)
                        ((uint*)(Registers + i.D))[BitOperations.TrailingZeroCount(rest)] = result;
                    break;
                case BarrierKind.All or BarrierKind.Any:
                    SetPredicate(i.D, fragment.Mask, result != 0 ? uint.MaxValue : 0);
                    break;
            }
            fragment.State = FragmentState.Ready;
            fragment.Pc++;
        }
    }

    /// <summary>The fragment that waits at a barrier; null if none does.</summary>
    public Fragment? AtBarrier()
    {
        for (var f = 0; f < fragmentCount; f++)
            if (fragments[f].State == FragmentState.AtBarrier) return fragments[f];
        return null;
    }
}
