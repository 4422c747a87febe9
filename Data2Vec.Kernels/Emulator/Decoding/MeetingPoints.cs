namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// Where lanes that part at a branch meet again: at the branch's immediate post-dominator. A way that only leads to the
/// end of the kernel is left out, since lanes on it meet nobody: "if (outside) return" inside a branch keeps the others
/// together, as the hardware's convergence barriers do. Source: Fung et al. 2007, "Dynamic warp formation", section 2
/// (the rule); Cooper, Harvey and Kennedy 2001, "A simple, fast dominance algorithm" (how it is computed).
/// </summary>
internal sealed class MeetingPoints
{
    private readonly Instruction[] code;
    private readonly List<int>[] next;
    private readonly int end;

    private MeetingPoints(Instruction[] code)
    {
        this.code = code;
        end = code.Length;
        next = new List<int>[end + 1];
        next[end] = [];
        var left = new List<(int From, int To)>();
        for (var i = 0; i < end; i++)
        {
            next[i] = Successors(code[i]);
            if (next[i].Count < 2) continue;
            foreach (var to in next[i].Where(LeadsOnlyToTheEnd).ToArray())
            {
                if (next[i].Count == 1) break;
                next[i].Remove(to);
                left.Add((i, to));
            }
        }
        Reconnect(left);
    }

    /// <summary>Sets <see cref="Instruction.Meet"/> of everything at which lanes can part.</summary>
    public static void Find(Instruction[] code)
    {
        var graph = new MeetingPoints(code);
        var meeting = graph.PostDominators();
        foreach (var i in code)
        {
            if (i.Flow is Flow.Branch or Flow.BranchIndexed)
                i.Meet = meeting[i.Index] >= code.Length ? -1 : meeting[i.Index];
            else if (i.Guard >= 0 && i.Flow is not (Flow.Next or Flow.Exit)) i.Meet = i.Index + 1;
        }
    }

    private List<int> Successors(Instruction i)
    {
        var list = new List<int>();
        if (i.Flow == Flow.Branch) list.Add(i.Target);
        else if (i.Flow == Flow.BranchIndexed) list.AddRange(i.Targets.Distinct());
        else if (i.Flow == Flow.Exit) list.Add(end);
        if (i.Guard >= 0 || i.Flow is Flow.Next or Flow.WarpSync or Flow.WholeWarp or Flow.Barrier)
        {
            if (!list.Contains(i.Index + 1)) list.Add(i.Index + 1);
        }
        return list;
    }

    private bool LeadsOnlyToTheEnd(int index)
    {
        for (var hops = 0; hops < 4 && index < end; hops++)
        {
            var i = code[index];
            if (i.Flow == Flow.Exit && i.Guard < 0) return true;
            if (i.Flow != Flow.Branch || i.Guard >= 0) return false;
            index = i.Target;
        }
        return index >= end;
    }

    /// <summary>
    /// A loop that can only be left by ways that were left out gets one of them back: that of its test.
    /// </summary>
    private void Reconnect(List<(int From, int To)> left)
    {
        while (true)
        {
            var reaches = ReachesTheEnd();
            var lost = left.Where(l => !reaches[l.From]).ToArray();
            if (lost.Length == 0) return;
            var latches = lost.Where(l => next[l.From].Any(n => n <= l.From)).ToArray();
            var back = latches.Length > 0 ? latches.MaxBy(l => l.From) : lost.MinBy(l => l.From);
            next[back.From].Add(back.To);
            left.Remove(back);
        }
    }

    private bool[] ReachesTheEnd()
    {
        var before = Reversed();
        var reaches = new bool[end + 1];
        var open = new Stack<int>([end]);
        reaches[end] = true;
        while (open.TryPop(out var node))
        {
            foreach (var b in before[node])
            {
                if (reaches[b]) continue;
                reaches[b] = true;
                open.Push(b);
            }
        }
        return reaches;
    }

    private List<int>[] Reversed()
    {
        var before = new List<int>[end + 1];
        for (var i = 0; i <= end; i++) before[i] = [];
        for (var i = 0; i < end; i++)
            foreach (var to in next[i]) before[Math.Min(to, end)].Add(i);
        return before;
    }

    /// <summary>Immediate post-dominators; <see cref="end"/> or -1 where there is none in the code.</summary>
    private int[] PostDominators()
    {
        var before = Reversed();
        var order = new int[end + 1];
        Array.Fill(order, -1);
        var sequence = PostOrder(before, order);
        var dominator = new int[end + 1];
        Array.Fill(dominator, -1);
        dominator[end] = end;
        for (var changed = true; changed;)
        {
            changed = false;
            for (var s = sequence.Count - 2; s >= 0; s--)
            {
                var node = sequence[s];
                var common = -1;
                foreach (var to in next[node])
                {
                    var other = Math.Min(to, end);
                    if (dominator[other] < 0) continue;
                    common = common < 0 ? other : Intersect(common, other);
                }
                if (common < 0 || dominator[node] == common) continue;
                dominator[node] = common;
                changed = true;
            }
        }
        return dominator;

        int Intersect(int a, int b)
        {
            while (a != b)
            {
                while (order[a] < order[b]) a = dominator[a];
                while (order[b] < order[a]) b = dominator[b];
            }
            return a;
        }
    }

    /// <summary>Nodes from which the end is reached, in post-order of the walk backwards from it.</summary>
    private List<int> PostOrder(List<int>[] before, int[] order)
    {
        var sequence = new List<int>();
        var seen = new bool[end + 1];
        var open = new Stack<(int Node, int Child)>();
        open.Push((end, 0));
        seen[end] = true;
        while (open.TryPop(out var top))
        {
            if (top.Child == before[top.Node].Count)
            {
                order[top.Node] = sequence.Count;
                sequence.Add(top.Node);
                continue;
            }
            open.Push((top.Node, top.Child + 1));
            var child = before[top.Node][top.Child];
            if (seen[child]) continue;
            seen[child] = true;
            open.Push((child, 0));
        }
        return sequence;
    }
}
