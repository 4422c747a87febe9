using Data2Vec.Engine;

namespace Data2Vec.Tests.Autograd;

/// <summary>y = x, with a node that tells what happens to it and saves x.</summary>
internal sealed class Probe(Tape tape, string name, Node? input, TensorRef saved, Action<string> told) : Node(tape, name)
{
    /// <summary>Records one on the tape of x.</summary>
    public static Tensor Of(Tensor x, string name, Action<string> told) => new(x.Ref.Retain(), name,
        x.Node!.Tape.Record(new Probe(x.Node.Tape, name, x.Node, x.Ref.Retain(), told)));

    protected override void Backward(TensorRef dy)
    {
        told($"run {Op}");
        input?.Pass(dy);
    }

    protected override void Release()
    {
        told($"release {Op}");
        saved.Release();
    }
}
