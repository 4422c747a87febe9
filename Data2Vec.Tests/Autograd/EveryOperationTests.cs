using Data2Vec.Bench.Cases;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;
using Cases = Data2Vec.Bench.Cases.Catalogue;

namespace Data2Vec.Tests.Autograd;

/// <summary>Promises that hold for every operation, tried on every tiny case of the catalogue.</summary>
public sealed class EveryOperationTests
{
    private Device device = null!;

    [OneTimeSetUp]
    public void Open() => device = Device.Parse("reference");

    [OneTimeTearDown]
    public void Close() => device.Dispose();

    [TestCaseSource(nameof(Operations))]
    public void An_operand_whose_scope_has_ended_is_refused_by_name(string operation) => ForEachInput(operation, (c, i) =>
    {
        // A keep mask is given to the kernel as raw memory.
        if (c.Inputs[i].Name == "keep") return;
        var values = c.Draw();
        using var scope = device.Scope();
        var tensors = Upload(c, values);
        using var operands = new Operands(device, DType.Float32, tensors, values);
        tensors[i].Dispose();
        Assert.That(() => c.Run!(operands).ToDoubles(), Throws.TypeOf<ObjectDisposedException>()
            .With.Message.Match("The tensor (From|Cast) .* was used after its scope had ended"), $"{c.Id}: {c.Inputs[i].Name}");
    });

    [TestCaseSource(nameof(Operations))]
    public void No_operand_loses_its_gradient_in_silence(string operation) => ForEach(operation, c =>
    {
        var values = c.Draw();
        using var scope = device.Scope();
        using var tape = new Tape(device);
        var tensors = Upload(c, values);
        var watched = tensors.Select(t => t.DType.IsFloat() ? tape.Watch(t) : t).ToArray();
        if (watched.All(t => !t.IsTracked)) return;
        using var operands = new Operands(device, DType.Float32, watched, values);
        Tensor y;
        try
        {
            y = c.Run!(operands);
        }
        catch (ArgumentException e) when (e.Message.Contains("there is no derivative by"))
        {
            return;
        }
        if (!y.DType.IsFloat()) return;
        Assert.That(y.IsTracked, $"{c.Id}: its result has forgotten the operands");
        try
        {
            tape.Backward(y, Seed(c, y));
        }
        catch (InvalidOperationException e) when (e.Message.Contains("has no derivative, but a gradient was asked for"))
        {
            return;
        }
        for (var i = 0; i < watched.Length; i++)
        {
            if (watched[i].IsTracked) Assert.That(tape.Gradient(watched[i]), Is.Not.Null, $"{c.Id}: {c.Inputs[i].Name}");
        }
    });

    [TestCaseSource(nameof(Operations))]
    public void Operands_of_two_tapes_are_refused(string operation) => ForEach(operation, c =>
    {
        var values = c.Draw();
        using var scope = device.Scope();
        using var one = new Tape(device);
        using var two = new Tape(device);
        var first = true;
        var tensors = Upload(c, values).Select((t, i) =>
        {
            if (!c.Inputs[i].IsDifferentiable) return t;
            var tape = first ? one : two;
            first = false;
            return tape.Watch(t);
        }).ToArray();
        if (!tensors.Any(t => t.Node?.Tape == two)) return;
        using var operands = new Operands(device, DType.Float32, tensors, values);
        Assert.That(() => c.Run!(operands), Throws.InvalidOperationException.With.Message.Contains("belongs to another tape"), c.Id);
    });

    [TestCaseSource(nameof(Operations))]
    public void Backward_refuses_overwritten_values_or_does_not_read_them(string operation) => ForEach(operation, c =>
    {
        if (!c.IsDifferentiable) return;
        var expected = Gradients(c, -1);
        for (var overwritten = 0; overwritten <= c.Inputs.Length; overwritten++)
        {
            var what = overwritten == c.Inputs.Length ? "the result" : c.Inputs[overwritten].Name;
            try
            {
                Assert.That(Gradients(c, overwritten), Is.EqualTo(expected), $"{c.Id} read the overwritten {what}");
            }
            catch (InvalidOperationException e)
            {
                Assert.That(e.Message, Does.Match(@"^\w+: the value saved for backward was overwritten by Vandal"), c.Id);
            }
        }
    });

    [Test]
    public void Backward_of_a_product_does_read_its_operands()
    {
        var c = new OpCase("Binary", "product") { Inputs = [Input.Normal("x", 3), Input.Normal("y", 3)], Run = o => Ops.Mul(o[0], o[1]) };
        Assert.That(() => Gradients(c, 1), Throws.InvalidOperationException.With.Message.EqualTo(
            "Mul: the value saved for backward was overwritten by Vandal after the forward call."));
        var sum = new OpCase("Binary", "sum") { Inputs = c.Inputs, Run = o => Ops.Add(o[0], o[1]) };
        Assert.That(() => Gradients(sum, 1), Throws.Nothing);
    }

    private static IEnumerable<string> Operations => Cases.Cases.Where(c => c.Run is not null).Select(c => c.Op).Distinct();

    private static void ForEach(string operation, Action<OpCase> check)
    {
        using (Assert.EnterMultipleScope())
        {
            foreach (var c in Cases.Cases.Where(c => c.Op == operation && c.Size == CaseSize.Tiny && c.Run is not null)) check(c);
        }
    }

    private static void ForEachInput(string operation, Action<OpCase, int> check) => ForEach(operation, c =>
    {
        for (var i = 0; i < c.Inputs.Length; i++) check(c, i);
    });

    private Tensor[] Upload(OpCase c, float[][] values) =>
        [.. c.Inputs.Select((input, i) => CaseSession.Upload(device, input, DType.Float32, values[i]))];

    private Tensor Seed(OpCase c, Tensor y) =>
        Tensor.FromDoubles(device, Array.ConvertAll(c.DrawSeed(y.Shape), v => (double)v), y.Shape, y.DType);

    /// <summary>All gradients of a case, after other values have been written into one operand or (last) the result.</summary>
    private double[][] Gradients(OpCase c, int overwritten)
    {
        var values = c.Draw();
        using var scope = device.Scope();
        using var tape = new Tape(device);
        var tensors = Upload(c, values).Select((t, i) => c.Inputs[i].IsDifferentiable ? tape.Watch(t) : t).ToArray();
        using var operands = new Operands(device, DType.Float32, tensors, values);
        var y = c.Run!(operands);
        var seed = Seed(c, y);
        if (overwritten >= 0) Vandalise(overwritten == tensors.Length ? y : tensors[overwritten]);
        tape.Backward(y, seed);
        return [.. tensors.Where(t => t.IsTracked).Select(t => tape.Gradient(t)!.ToDoubles())];
    }

    /// <summary>NaN, index 0, and the opposite of every mask: nothing that could be read without a trace.</summary>
    private void Vandalise(Tensor t)
    {
        var bytes = new byte[t.Count * t.DType.Size()];
        device.Backend.Download(t.View, bytes);
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = t.DType == DType.Bool ? (byte)(1 - bytes[i]) : t.DType.IsFloat() ? (byte)0xFF : (byte)0;
        device.Backend.Upload(bytes, t.View);
        t.Overwritten("Vandal", t.Node);
    }
}
