using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Modules;

/// <summary>
/// Passes in bfloat16 read copies of parameters and teacher that updates write along: they are always what a cast of
/// the store's own values gives, whoever wrote those.
/// </summary>
[TestFixture("cpu")]
[TestFixture("ilgpu:cpu")]
[TestFixture("emulator")]
public sealed class RoundedCopyTests(string name)
{
    private Device device = null!;
    private Scope scope = null!;
    private ParameterStore store = null!;
    private StepState step = null!;
    private int averaged, copied, shared, still;

    [SetUp]
    public void Open()
    {
        device = Device.Parse(name, 1);
        scope = device.Scope();
        store = new ParameterStore(device);
        averaged = Declare("averaged", new Shape(5, 7), TeacherRule.Averaged);
        copied = Declare("copied", new Shape(3), TeacherRule.Copied);
        shared = Declare("shared", new Shape(70), TeacherRule.Shared);
        still = Declare("still", new Shape(9), TeacherRule.Averaged);
        store.Build(seed: 1, weightDecay: 0.1);
        step = new StepState(device);
        step.Values.LearningRate = 0.1;
        step.Values.WeightDecayScale = 1;
        step.Values.EmaDecay = 0.5;
        step.Values.GradientDivisor = 1;
        step.Upload();
    }

    [TearDown]
    public void Close()
    {
        step.Dispose();
        scope.Dispose();
        store.Dispose();
        device.Dispose();
    }

    [Test]
    public void An_update_writes_them_along_without_another_pass()
    {
        using var student = store.Student(type: DType.BFloat16);
        using var teacher = store.Teacher(DType.BFloat16);
        var (copy, teacherCopy) = (student[averaged].Ref.Storage!, teacher[averaged].Ref.Storage!);
        Assert.That(teacher[shared].Ref.Storage, Is.SameAs(copy), "what is shared is rounded once");
        for (var update = 0; update < 4; update++)
        {
            var (before, teacherBefore) = (copy.Version, teacherCopy.Version);
            var first = student[averaged].ToArray<ushort>();
            Update(together: update % 2 == 0);
            Assert.That(student[averaged].ToArray<ushort>(), Is.Not.EqualTo(first));
            AssertRounded(student);
            AssertRounded(teacher);
            Assert.That((copy.Version, teacherCopy.Version), Is.EqualTo((before + 1, teacherBefore + 1)),
                "written by updates alone");
        }
    }

    [Test]
    public void An_update_that_is_not_finite_leaves_them_right()
    {
        using var student = store.Student(type: DType.BFloat16);
        using var teacher = store.Teacher(DType.BFloat16);
        AssertRounded(student);
        AssertRounded(teacher);
        var before = student[averaged].ToArray<ushort>();
        Update(together: true, gradient: double.NaN);
        Assert.That(student[averaged].ToArray<ushort>(), Is.EqualTo(before));
        AssertRounded(student);
        AssertRounded(teacher);
    }

    [Test]
    public void What_is_loaded_is_seen_by_the_next_pass()
    {
        using var view = store.Student(type: DType.BFloat16);
        AssertRounded(view);
        store.Write(ParameterPart.Student, averaged, new double[35]);
        Assert.That(view[averaged].ToDoubles(), Is.All.Zero, "a view that is there already");
        using var other = store.Student(type: DType.BFloat16);
        store.WriteBytes(ParameterPart.Student, shared, new byte[280]);
        Assert.That(other[shared].ToDoubles(), Is.All.Zero);
        using var teacher = store.Teacher(DType.BFloat16);
        Assert.That(teacher[averaged].ToDoubles(), Has.None.Zero);
        store.Write(ParameterPart.Teacher, averaged, new double[35]);
        Assert.That(teacher[averaged].ToDoubles(), Is.All.Zero);
    }

    [Test]
    public void An_update_does_not_make_right_what_was_wrong_before()
    {
        using var student = store.Student(type: DType.BFloat16);
        using var teacher = store.Teacher(DType.BFloat16);
        AssertRounded(student);
        AssertRounded(teacher);
        // Nothing moves this one, so that an update would leave the old values in the copy.
        store.Write(ParameterPart.Student, still, new double[9]);
        Update(together: true);
        Assert.That(student[still].ToDoubles(), Is.All.Zero);
        AssertRounded(student);
        AssertRounded(teacher);
    }

    [Test]
    public void A_tape_that_saved_one_refuses_after_an_update()
    {
        using var tape = new Tape(device);
        using var view = store.Student(tape, DType.BFloat16);
        var x = Ops.Cast(Tensor.Full(device, new Shape(2, 7), DType.Float32, 1), DType.BFloat16);
        var y = Ops.Sum(Ops.Linear(x, view[averaged]));
        Update(together: true);
        Assert.That(() => tape.Backward(y), Throws.InvalidOperationException.With.Message.EqualTo(
            "Linear: the value saved for backward was overwritten by Adam after the forward call."));
    }

    [Test]
    public void They_take_memory_when_they_are_read_and_until_the_store_goes()
    {
        var before = device.OutstandingBuffers;
        using (var student = store.Student(type: DType.BFloat16))
        {
            _ = student.Full(averaged);
            Assert.That(device.OutstandingBuffers, Is.EqualTo(before));
            _ = (student[averaged], student[shared]);
        }
        Assert.That(device.OutstandingBuffers, Is.EqualTo(before + 1));
        using (var student = store.Student(type: DType.BFloat16)) _ = student[averaged];
        using (var teacher = store.Teacher(DType.BFloat16)) _ = (teacher[averaged], teacher[shared]);
        Assert.That(device.OutstandingBuffers, Is.EqualTo(before + 2));
        store.Dispose();
        Assert.That(device.OutstandingBuffers, Is.EqualTo(before - 3), "values, the teacher's and the table went too");
    }

    [Test]
    public void Other_types_are_refused() =>
        Assert.That(() => store.Student(type: DType.Float64), Throws.ArgumentException.With.Message.EqualTo(
            "ParameterView: passes are in float32, as the store, or in bfloat16; got float64."));

    private int Declare(string parameter, Shape shape, TeacherRule rule) =>
        store.Add(new ParameterDeclaration(parameter, shape, Initializers.Normal(1), rule));

    private void Update(bool together, double gradient = 0.3)
    {
        store.ClearGradients();
        foreach (var p in new[] { averaged, copied, shared })
        {
            var count = (int)store.Parameters[p].Shape.Count;
            store.Write(ParameterPart.Gradient, p, Enumerable.Repeat(gradient, count).ToArray());
            store.MarkGradient(p);
        }
        store.ComputeGradientNorm(step);
        if (together)
        {
            store.UpdateWithTeacher(new AdamOptions(), step);
            return;
        }
        store.Update(new AdamOptions(), step);
        store.UpdateTeacher(step);
    }

    private void AssertRounded(ParameterView view)
    {
        for (var p = 0; p < store.Parameters.Count; p++)
        {
            Assert.That(view[p].ToArray<ushort>(), Is.EqualTo(Ops.Cast(view.Full(p), DType.BFloat16).ToArray<ushort>()),
                store.Parameters[p].Name);
        }
    }
}
